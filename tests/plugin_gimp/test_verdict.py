"""What the plug-in says of a layer once the engine has answered."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from model_server import engine_client

root = Path(__file__).parents[2]


@pytest.fixture
def verdict(monkeypatch):
    """The module, beside the client as it is when installed."""
    monkeypatch.setitem(sys.modules, "engine_client", engine_client)
    return SimpleNamespace(**runpy.run_path(str(root / "plugin_gimp/harmonize/verdict.py")))


def answer(**confidence):
    return engine_client.Answer({"confidence": confidence or None}, None, {}, "cpu")


advised = {"'Jug' already fits the picture": 0.81, "Harmonizing 'Jug' would probably not help": 0.28}


@pytest.mark.parametrize("reason", advised)
def test_what_is_better_left_alone_is_offered_all_the_same_with_the_reason(verdict, reason):
    before = advised[reason]
    sentence, harmony = verdict.verdict("Jug", answer(before=before, after=0.25, leave=True)).splitlines()
    assert sentence == f"{reason}. You can leave it, or harmonize it anyway."
    assert harmony == f"Harmony: {100 * before:.0f} % before, 25 % after."


@pytest.mark.parametrize("reason", advised)
def test_what_was_left_is_told_with_the_reason_and_the_way_out(verdict, reason):
    told = verdict.left("Jug", answer(before=advised[reason], after=0.25, leave=True))
    assert told.startswith(f"{reason}, so it was left as it is. ")
    assert "Harmonize..." in told and "'always'" in told


@pytest.mark.parametrize(("after", "words"), [(0.34, "a little better"), (0.58, "better")])
def test_a_gain_is_told_by_its_size_and_never_called_a_fit(verdict, after, words):
    told = verdict.verdict("Jug", answer(before=0.28, after=after, leave=False))
    assert told.startswith(f"'Jug' will fit the picture {words}.\nHarmony: 28 % before, ")


def test_a_model_that_judges_nothing_leaves_it_to_the_eye(verdict):
    assert verdict.verdict("Jug", answer()) == "This model does not tell how well it fits: judge by eye."
    assert verdict.harmonies(answer()) == verdict.unknown
