"""The dialog in a real GIMP under Xvfb, driven by the keyboard alone; HARMONIZE_SCREENSHOTS keeps pictures of it."""

import numpy as np
import pytest
from gimp_desk import drive, seen, told
from gimp_session import Session
from xcf_pictures import light_map, tone_curves

from harmonize_engine.harmonization import Confidence, Harmonization

curves = tone_curves(np.random.default_rng(20))
wanted = Harmonization((curves, light_map(0.6, 1.5)), "parametric", "1", confidence=Confidence(0.34, 0.82, False))
steps = r"""
keep before
open_dialog "match colour"
picture dialog
press alt+u ctrl+a; xdotool type 40; press Tab; sleep 0.5
picture weaker
close_dialog Escape
keep cancelled
open_dialog "relight"
apply_dialog
keep applied
front
picture applied
open_dialog "relight"
press alt+u ctrl+a; xdotool type 10; press Tab
apply_dialog
keep updated
front
press ctrl+z; sleep 1
keep as-first
press ctrl+z; sleep 1
keep undone
press ctrl+y; sleep 1
keep redone
press ctrl+y; sleep 1
keep redone-update
open_dialog "relight"
apply_dialog
keep again
touch slow
find_entry "match colour"
wait_for window "^Harmonize$"
sleep 2
picture waiting
close_dialog Escape
keep gave-up
"""


@pytest.fixture(scope="module")
def window(gimp_root):
    with Session(gimp_root, wanted) as session:
        session.engine.mood_when(gimp_root.share / "slow", "waits")
        yield drive(session, steps)


def without_effects(layers: list) -> list:
    return [{**layer, "effects": [], "children": without_effects(layer["children"])} for layer in layers]


def test_one_undo_takes_all_of_it_away(window):
    before, applied = seen(window, "before"), seen(window, "applied")
    assert np.abs(applied - before).max() > 0.1
    assert told(window, "applied")["layers"][0]["name"] == "Harmonize: Pasted"
    assert np.array_equal(seen(window, "undone"), before)
    assert told(window, "undone") == told(window, "before")


def test_one_undo_takes_an_update_back(window):
    assert np.abs(seen(window, "updated") - seen(window, "applied")).max() > 0.1
    assert len(told(window, "updated")["layers"]) == 3
    assert told(window, "as-first")["layers"] == told(window, "applied")["layers"]
    assert np.array_equal(seen(window, "as-first"), seen(window, "applied"))


def test_redo_brings_it_back(window, gimp_root):
    """GIMP 3.0 itself leaves out the effects of a layer that redo brings back; the layer is there all the same."""
    for again, first in (("redone", "applied"), ("redone-update", "updated")):
        layers = told(window, first)["layers"]
        if "trixie" in gimp_root.tree.name:
            assert told(window, again)["layers"] == without_effects(layers)
        else:
            assert told(window, again)["layers"] == layers
            assert np.array_equal(seen(window, again), seen(window, first))


def test_choosing_the_filter_again_brings_back_what_redo_left_out(window):
    assert told(window, "again")["layers"] == told(window, "updated")["layers"]
    assert np.array_equal(seen(window, "again"), seen(window, "updated"))


@pytest.mark.parametrize("when", ["cancelled", "gave-up"])
def test_cancel_changes_nothing(window, when):
    same = "before" if when == "cancelled" else "again"
    assert np.array_equal(seen(window, when), seen(window, same))
    assert told(window, when)["layers"] == told(window, same)["layers"]


def test_the_active_layer_stays_active(window):
    assert told(window, "applied")["active"] == told(window, "before")["active"] == ["Pasted"]
