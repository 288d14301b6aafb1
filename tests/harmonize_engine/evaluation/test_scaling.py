"""Trends that are known, in runs that were made up."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from harmonize_engine import HarmonizeError
from harmonize_engine.evaluation import runs, scaling, trend
from harmonize_engine.evaluation.runs import Run


def falls(n, floor=0.2, factor=30.0, exponent=0.4):
    return floor + factor * n**-exponent


@pytest.mark.parametrize("exponent", [0.1, 0.4, 1.0])
def test_a_power_law_is_found_again(exponent):
    n = np.geomspace(1e3, 1e6, 8)
    found = trend.fitted(n, falls(n, exponent=exponent))
    assert found.exponent == pytest.approx(exponent, abs=0.011)
    assert found.at(1e8) == pytest.approx(falls(1e8, exponent=exponent), rel=0.06)
    assert found.residual < 1e-3 * falls(1e3, exponent=exponent)


def test_noise_widens_what_is_said_of_more_and_the_truth_is_near():
    n = np.geomspace(1e4, 1e6, 8)
    noisy = falls(n) + np.random.default_rng(1).normal(0, 0.005, 8)
    low, high = trend.between(list(n), list(noisy), 1e7)
    assert low < high and low - 0.03 < falls(1e7) < high + 0.03
    assert np.ptp(trend.between(list(n), list(falls(n)), 1e7)) < (high - low) / 4


def test_what_rises_is_told_as_flat_and_nothing_falls_below_zero():
    found = trend.fitted([1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4])
    assert found.factor == 0 and found.at(1e9) == pytest.approx(0.25)
    assert trend.fitted([1, 2, 4, 8], [0.8, 0.3, 0.1, 0.01]).floor >= 0


def test_two_points_are_no_trend_and_three_have_no_floor():
    assert trend.fitted([1, 2, 2], [0.3, 0.2, 0.1]) is None
    found = trend.fitted([1, 10, 100], [0.8, 0.4, 0.2])
    assert found.floor == 0 and found.exponent == pytest.approx(0.301, abs=0.01)


def run(name, parameters=1_000_000, photographs=10_000, images=1e6, error=0.5, recipe=""):
    steps = np.geomspace(images / 8, images, 4)
    return Run(name, parameters, photographs, tuple((float(n), float(error * (images / n) ** 0.3)) for n in steps), recipe)


def by_what(found):
    return {(axis.what, axis.label): axis.points for axis in scaling.axes(found)}


def test_runs_that_differ_in_one_thing_alone_are_compared_at_the_images_that_all_saw():
    grown = [run(f"p{n}", parameters=n * 10**6, images=1e6 * n, error=1 / n) for n in (1, 2, 4)]
    told = by_what([*grown, run("few", photographs=500)])
    assert [n for n, _ in told["parameters", "at 1,000,000 images"]] == [1e6, 2e6, 4e6]
    first, second, _ = told["parameters", "at 1,000,000 images"]
    assert first[1] == 1 and second[1] == pytest.approx(0.5 * 2**0.3)  # of twice the images, what half of them gave
    assert [n for n, _ in told["photographs", "at 1,000,000 images"]] == [500, 10_000]


def test_runs_of_another_recipe_are_not_compared():
    small, large = (run(str(n), parameters=n) for n in (10**6, 2 * 10**6))
    assert ("parameters", "at 1,000,000 images") in by_what([small, large])
    dual = run("dual", parameters=2 * 10**6, recipe="dual")
    assert ("parameters", "at 1,000,000 images") not in by_what([small, dual])


def test_finished_runs_of_one_size_tell_what_more_images_bring():
    told = by_what([run(str(n), images=n, error=falls(n)) for n in (1e4, 1e5, 1e6)])
    assert told["images", "finished runs"] == tuple((n, pytest.approx(falls(n))) for n in (1e4, 1e5, 1e6))
    assert ("parameters", "at 10,000 images") not in told


def made(folder, measure="ratio", **facts):
    """A folder as training leaves it, its last line half-written."""
    folder.mkdir(parents=True)
    lines = [{"step": n, "images": 48 * n, "minutes": n / 100, measure: falls(48 * n)} for n in (100, 400, 1600, 6400)]
    text = json.dumps({"step": 50, "error": 0.1}) + "\n" + "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "metrics.jsonl").write_text(text + '{"step": 7000, "ima')
    if facts:
        (folder / "run.json").write_text(json.dumps(facts))
    return folder


def test_a_run_is_read_as_its_folder_tells_it_and_as_it_is_written(tmp_path):
    folder = made(tmp_path / "long", parameters=1_600_000, photographs=10_449)
    found = runs.read(str(folder), "ratio")
    assert (found.name, found.parameters, found.photographs, found.images) == ("long", 1_600_000, 10_449, 307_200)
    assert found.best == pytest.approx(falls(307_200)) and len(found.points) == 4
    other = runs.read(f"{folder},parameters=850000,name=ours,recipe=dual", "ratio")
    assert (other.name, other.parameters, other.photographs, other.recipe) == ("ours", 850_000, 10_449, "dual")


@pytest.mark.parametrize(
    ("written", "code"), [("none", "run_missing"), ("long,colour=red", "usage"), ("long,parameters=many", "usage")]
)
def test_what_is_no_run_is_named(tmp_path, monkeypatch, written, code):
    made(tmp_path / "long")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HarmonizeError) as error:
        runs.read(written, "ratio")
    assert error.value.code == code


def test_the_command_writes_a_table_and_a_drawing(tmp_path, capsys):
    folders = [str(made(tmp_path / f"run{n}", parameters=n * 10**6, photographs=10_000)) for n in (1, 2)]
    scaling.main([*folders, "-o", str(tmp_path / "scaling")])
    text = (tmp_path / "scaling.md").read_text()
    assert text.strip() == capsys.readouterr().out.strip()
    assert "| run1 | 1,000,000 | 10,000 | 307,200 |" in text and "| images | within run2 | 4 | 4,800 | 307,200 |" in text
    drawn = ElementTree.parse(tmp_path / "scaling.svg").getroot()
    names = {element.text for element in drawn.iter() if element.tag.endswith("text")}
    assert {"ratio by images", "ratio by parameters", "within run1"} <= names


def test_a_folder_without_a_run_ends_the_command_with_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit):
        scaling.main([str(tmp_path), "-o", str(tmp_path / "scaling")])
    assert "has no validation of 'ratio'" in capsys.readouterr().err
