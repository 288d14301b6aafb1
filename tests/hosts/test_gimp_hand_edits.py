"""GIMP's own tools on what Harmonize made, and several layers, in a real GIMP under Xvfb with keyboard and mouse."""

import numpy as np
import pytest
from gimp_desk import drive, seen, told
from gimp_session import Session
from xcf_pictures import tone_curves, wide_profile

from harmonize_engine.harmonization import Confidence, Harmonization

curves = tone_curves(np.random.default_rng(20))
wanted = Harmonization((curves,), "parametric", "1", confidence=Confidence(0.34, 0.82, False))
steps = r"""
works() { cat /proc/[0-9]*/cmdline | tr "\0" " " | grep -q "[h]armonize/harmonize.py"; }
ended() { ! works; }
open_dialog "relight"
close_dialog Return
keep applied
inside "image.get_layers()[0].set_expanded(True)"
front
picture stack
click EFFECTS 644
picture effects
click $((EFFECTS - 74)) 600
wait_for window "^Curves$"
xdotool windowmove $(window "^Curves$") 500 60
sleep 3
picture curves
for x in 700 780; do  # twice: a window that is still being drawn misses the first
    xdotool mousemove $x 300 mousedown 1; sleep 0.3
    for y in 320 340 360 380 400 420; do xdotool mousemove $x $y; sleep 0.1; done
    xdotool mouseup 1; sleep 1
done
picture dragged
press alt+o
wait_for gone "^Curves$"
keep edited
open_dialog "relight"
picture asks
close_dialog Return
keep kept
open_dialog "relight"
press alt+g; sleep 3
picture replacing
close_dialog Return
keep replaced
inside "image.get_layers()[0].get_mask().fill(Gimp.FillType.WHITE)"
keep painted
open_dialog "relight"
close_dialog Return
keep painting-kept
inside "
pasted = [layer for layer in image.get_layers() if layer.get_name() == 'Pasted'][0]
other = pasted.copy()
image.insert_layer(other, None, 0)
other.set_name('Other')
other.set_offsets(90, 40)
image.set_selected_layers([pasted, other])
image.set_simulation_profile(Gimp.ColorProfile.new_from_icc_profile(open('cmyk', 'rb').read()))
"
keep two
open_dialog "relight"
picture several
close_dialog Return
keep both
open_dialog "relight"
touch slow
press Return
wait_for gone "^Harmonize"
wait_for works
sleep 3
picture progress
click 1062 742
wait_for ended
picture stopped
keep stopped
"""


@pytest.fixture(scope="module")
def desk(gimp_root):
    new = "trixie" not in gimp_root.tree.name
    cmyk = bytearray(wide_profile())
    cmyk[12:20] = b"prtrCMYK"
    with Session(gimp_root, wanted) as session:
        session.engine.mood_when(gimp_root.share / "slow", "waits")
        yield drive(session, steps.replace("EFFECTS", "1191" if new else "1213"), {"cmyk": bytes(cmyk)})


def names(share, when: str) -> list[str]:
    return [layer["name"] for layer in told(share, when)["layers"]]


def test_a_point_dragged_in_gimps_curves_is_kept_when_harmonizing_again(desk):
    assert np.abs(seen(desk, "edited") - seen(desk, "applied")).max() > 0.05
    assert np.array_equal(seen(desk, "kept"), seen(desk, "edited"))
    assert told(desk, "kept")["layers"] == told(desk, "edited")["layers"]


def test_it_is_replaced_when_the_dialogs_box_is_ticked(desk):
    assert np.array_equal(seen(desk, "replaced"), seen(desk, "applied"))
    assert told(desk, "replaced")["layers"] == told(desk, "applied")["layers"]


def test_the_tick_is_for_one_time_only(desk):
    assert np.abs(seen(desk, "painted") - seen(desk, "replaced")).max() > 0.05
    assert np.array_equal(seen(desk, "painting-kept"), seen(desk, "painted"))


def test_several_layers_through_the_dialog(desk):
    assert names(desk, "two") == ["Other", "Harmonize: Pasted", "Pasted", "Evening"]
    assert names(desk, "both") == ["Harmonize: Other", "Other", "Harmonize: Pasted", "Pasted", "Evening"]
    assert sorted(told(desk, "both")["active"]) == ["Other", "Pasted"]
    assert np.abs(seen(desk, "both") - seen(desk, "two")).max() > 0.1


def test_cancel_in_gimps_status_bar_changes_nothing(desk):
    """GIMP kills the plug-in, here while it waits for what the engine says of the second layer."""
    assert np.array_equal(seen(desk, "stopped"), seen(desk, "both"))
    assert told(desk, "stopped") == told(desk, "both")
