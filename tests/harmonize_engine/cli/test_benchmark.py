import csv
import json

import pytest

from tests.harmonize_engine.evaluation.conftest import photograph, photographs, save

__all__ = ["photographs"]
quick = ("--entrants", "composite", "statistics", "oracle-affine", "--workers", "1", "--sheets", "2")


def rows(folder):
    with (folder / "outcomes.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_photographs_are_judged_and_told_as_table_csv_and_page(desk, photographs):
    ran = desk.harmonize("benchmark", photographs, "-o", desk / "out", "--protocol", "film-full", "untouched", *quick)
    assert ran.status == 0, ran.err
    assert "What is left of the error" in ran.out and "LPIPS was not measured" in ran.out
    assert len(rows(desk / "out")) == 3 * 2 * 3
    assert "Most harm: oracle-affine" in (desk / "out" / "index.html").read_text()
    assert "### film-full (3)" in (desk / "out" / "table.md").read_text()
    assert len(json.loads((desk / "out" / "manifest.json").read_text())["composites"]) == 6


def test_real_composites_are_judged_by_who_is_named_and_the_page_says_who(desk, photographs):
    words = ("--protocol", "pasted", "untouched", "--entrants", "composite", "parametric", "parametric:gate")
    ran = desk.harmonize("benchmark", photographs, "-o", desk / "out", *words, "--judge", "parametric", "--workers", "1")
    assert ran.status == 0, ran.err
    page = (desk / "out" / "index.html").read_text()
    for told in (ran.out, page):
        assert "Real composites (3)" in told and "photographs themselves" in told
        assert "It takes part itself: it may favour parametric" in told
    assert page.count("truth</span>") == 0 and "Real composites: parametric" in page
    real = [row for row in rows(desk / "out") if row["group"] == "pasted"]
    assert len(real) == 9 and all(row["fmse"] == "nan" and row["judged_after"] and row["distance_after"] for row in real)


def test_a_second_run_does_only_what_is_new_and_tells_the_same(desk, photographs):
    words = ("benchmark", photographs, "-o", desk / "out", "--protocol", "film-full", *quick)
    first = desk.harmonize(*words)
    before = (desk / "out" / "outcomes.csv").read_text()
    assert desk.harmonize(*words).out == first.out
    assert (desk / "out" / "outcomes.csv").read_text() == before


def test_another_runs_manifest_is_checked(desk, photographs):
    words = ("benchmark", photographs, "--protocol", "film-full", *quick, "-o")
    desk.harmonize(*words, desk / "one")
    manifest = ("--manifest", desk / "one" / "manifest.json")
    assert "the very same composites" in desk.harmonize(*words, desk / "two", *manifest).out
    picture, _ = photograph(9)
    save(picture, photographs / "images" / "photo2.png")
    assert "1 composite has" in desk.refused("other_sources", *words, desk / "three", *manifest)


def test_a_dataset_is_judged_at_256_pixels_by_the_papers_convention(desk):
    truth, mask = photograph(1)
    for subset in ("HCOCO", "HFlickr"):
        save(truth * (1 - 0.3 * mask[..., None]), desk / "ihd" / subset / "composite_images" / "c1_1_1.png")
        save(mask, desk / "ihd" / subset / "masks" / "c1_1.png")
        save(truth, desk / "ihd" / subset / "real_images" / "c1.png")
    ran = desk.harmonize("benchmark", desk / "ihd", "-o", desk / "out", *quick)
    assert ran.status == 0, ran.err
    table = (desk / "out" / "table.md").read_text()
    assert "at 256 x 256 pixels" in table and "### HCOCO (1)" in table and "### All (2)" in table
    full = desk.harmonize("benchmark", desk / "ihd", "-o", desk / "full", "--size", "full", *quick)
    assert full.status == 0 and "at their own size" in (desk / "full" / "table.md").read_text()


def test_kept_results_are_what_a_study_compares(desk, photographs):
    words = ("--protocol", "film-full", "--photographs", "1", "--keep-results", *quick)
    desk.harmonize("benchmark", photographs, "-o", desk / "out", *words)
    kept = {path.parent.parent.name for path in (desk / "out" / "results").rglob("*.png")}
    assert kept == {"composite", "statistics", "oracle-affine"}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("protocol_unknown", ("--protocol", "moonlight")),
        ("entrant_unknown", ("--entrants", "nobody")),
        ("entrant_unknown", ("--entrants", "composite", "--sheet", "mkl")),
        ("usage", ("--split", "moon")),
        ("model_unknown", ("--judge", "nobody")),
        ("usage", ("--workers", "-1")),
        ("usage", ("--size", "3")),
        ("usage", ("--size", "256")),
        ("usage", ("--layout", "dataset", "--protocol", "film")),
        ("dataset_unknown", ("--layout", "dataset")),
        ("file_missing", ("--lpips", "none.onnx")),
        ("folder_missing", ("--models-folder", "none")),
    ],
)
def test_what_cannot_be_judged_is_refused_before_anything_is_written(desk, photographs, code, words):
    desk.refused(code, "benchmark", photographs, "-o", desk / "out", *words)


def test_a_missing_folder_is_refused(desk):
    desk.refused("folder_missing", "benchmark", desk / "none", "-o", desk / "out")
