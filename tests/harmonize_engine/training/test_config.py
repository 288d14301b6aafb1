import dataclasses
import json

import pytest

from harmonize_engine import HarmonizeError
from harmonize_engine.training import config
from harmonize_engine.training.journal import Journal


def test_an_experiment_is_changed_field_by_field():
    found = config.experiment("default", ["batch=8", "untouched=[0,0.5]", "network.hidden=64", "discriminator.width=4"])
    assert (found.batch, found.untouched, found.network.hidden, found.discriminator.width) == (8, (0, 0.5), 64, 4)
    assert found.paired == config.experiments["default"][1].paired
    assert config.experiment("default", ["learning_rate=1"]).learning_rate == 1.0


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("best", "", "config_unknown"),
        ("default", "batch", "config_wrong"),
        ("default", "bacth=3", "config_wrong"),
        ("default", "batch=many", "config_wrong"),
        ("default", "batch=1", "config_wrong"),
        ("default", "batch=[1]", "config_wrong"),
        ("default", "network.hidden=0.5", "config_wrong"),
        ("default", "network=1", "config_wrong"),
        ("default", "side=100", "config_wrong"),
        ("default", "least=0", "config_wrong"),
        ("default", "network.dropout=1", "config_wrong"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(name, change, code):
    with pytest.raises(HarmonizeError) as error:
        config.experiment(name, [change] if change else [])
    assert error.value.code == code and error.value.hint.count("\n") == 0


@pytest.mark.parametrize("name", config.experiments)
def test_every_experiment_comes_back_from_a_checkpoint(name):
    chosen = config.experiments[name][1]
    assert config.read(config.describe(chosen)) == chosen


def test_the_papers_numbers_are_the_papers():
    paper = config.experiments["pih-512"][1]
    assert (paper.side, paper.batch, paper.learning_rate, paper.halve_at) == (512, 8, 4e-5, (20, 40, 60))
    assert (paper.whole_picture, paper.adversarial, paper.supervised) == (0.92, pytest.approx(1 - 0.92), 0.5)
    assert paper.network.depths == (3, 4, 6, 3) and paper.network.knots == 32 and paper.network.least_gain == 0.5
    assert paper.discriminator.strides == (4, 4, 4, 2, 2, 2) and paper.discriminator.width == 16


def test_one_stream_differs_from_both_in_the_streams_alone():
    ours, single = (config.experiments[name][1] for name in ("default", "supervised"))
    differ = {f.name for f in dataclasses.fields(ours) if getattr(ours, f.name) != getattr(single, f.name)}
    assert differ == {"supervised", "adversarial"}


def test_a_run_needs_an_end(tmp_path):
    with pytest.raises(HarmonizeError) as error:
        config.chosen(tmp_path, None, [], None, None)
    assert error.value.code == "usage"
    assert config.chosen(tmp_path, None, [], None, 5.0).minutes == 5


def test_a_journal_forgets_what_came_after_the_checkpoint(tmp_path):
    first = Journal(tmp_path, 0)
    for step in (1, 2, 3):
        first.add(step=step, error=1 / 3)
    again = Journal(tmp_path, 2)
    again.add(step=3, error=0.5, score=1.0)
    assert [(line["step"], line["error"]) for line in again.lines()] == [(1, 0.333333), (2, 0.333333), (3, 0.5)]
    again.draw()
    assert again.drawing.read_text().startswith("<svg") and "training error" in again.drawing.read_text()
    assert all(json.loads(line) for line in again.path.read_text().splitlines())
