"""The dialog in a real GIMP under Xvfb, driven by the keyboard alone; HARMONIZE_SCREENSHOTS keeps pictures of it."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from gimp_session import Session
from xcf_pictures import light_map, tone_curves

from harmonize_engine.harmonization import Confidence, Harmonization

wanted = Harmonization((tone_curves(), light_map(0.6, 1.5)), "parametric", "1", confidence=Confidence(0.34, 0.82, False))
make = """
import math, struct
W, H = 480, 320
def colours(f):
    return b"".join(struct.pack("<4f", *f(x / W, y / H)) for y in range(H) for x in range(W))
image = image_of(W, H)
layer_of(image, "Evening", colours(lambda x, y: (0.1 + 0.3 * y, 0.15 + 0.2 * y, 0.5 - 0.2 * y, 1)), W, H)
pasted = lambda x, y: (0.9, 0.6 + 0.2 * math.sin(30 * x), 0.3, min(1, max(0, 9 * (0.35 - math.hypot(x - 0.5, y - 0.5)))))
layer_of(image, "Pasted", colours(pasted), W, H)
save(image, "/session/share/start.xcf")
result("made")
"""
steps = r"""
cd /session/share
openbox > /dev/null 2>&1 &
watcher="exec(open('/session/bench/gimp_start.py').read())"
gimp --no-splash start.xcf --batch-interpreter=python-fu-eval -b "$watcher" > gimp.log 2>&1 &
wait_for() {
    for i in $(seq 300); do "$@" > /dev/null 2>&1 && return; sleep 0.1; done
    echo "waited in vain: $*"; picture lost; exit 1
}
window() { xdotool search --onlyvisible --name "$1"; }
gone() { ! xdotool search --onlyvisible --name "$1"; }
picture() { import -window root "screen-$1.png"; }
keep() { touch "keep-$1"; wait_for test -e "$1.json"; sleep 0.3; }
press() { xdotool key --clearmodifiers "$@"; sleep 0.4; }
front() { wait_for window "start.*GIMP"; xdotool windowactivate --sync $(window "start.*GIMP" | tail -1); sleep 0.5; }
find_entry() {
    front; press slash; wait_for window "Search Actions"
    xdotool type --delay 30 "$1"; sleep 1.5; picture search
    press Down Return
}
wait_for window "start.*GIMP"
sleep 2
xdotool search --name "Welcome to GIMP" windowclose 2> /dev/null
keep before
find_entry "match colour"
wait_for window "^Harmonize$"
sleep 3
picture dialog
press alt+u ctrl+a; xdotool type 40; press Tab; sleep 0.5
picture weaker
press Escape
wait_for gone "^Harmonize$"
keep cancelled
find_entry "relight"
wait_for window "^Harmonize$"
sleep 3
press Return
wait_for gone "^Harmonize$"
sleep 2
keep applied
front
picture applied
find_entry "relight"
wait_for window "^Harmonize$"
sleep 3
press alt+u ctrl+a; xdotool type 10; press Tab Return
wait_for gone "^Harmonize$"
sleep 2
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
touch slow
find_entry "match colour"
wait_for window "^Harmonize$"
sleep 2
picture waiting
press Escape
wait_for gone "^Harmonize$"
keep gave-up
touch end
"""


@pytest.fixture(scope="module")
def window(gimp_root):
    with Session(gimp_root, wanted) as session:
        session.run(make)
        (gimp_root.bench / "script.py").write_text(Path(__file__).with_name("gimp_watcher.py").read_text())
        (session.root.share / "steps.sh").write_text(steps)
        session.engine.mood_when(gimp_root.share / "slow", "waits")
        screen = ("xvfb-run", "-a", "-s", "-nolisten local -screen 0 1366x768x24")
        ended = session.root.run(*screen, "sh", "/session/share/steps.sh", timeout=240)
        folder = os.environ.get("HARMONIZE_SCREENSHOTS")
        for screenshot in gimp_root.share.glob("screen-*.png") if folder else ():
            shutil.copy(screenshot, Path(folder) / f"{gimp_root.tree.name[:6]}-{screenshot.name}")
        assert ended.returncode == 0, ended.stdout + (gimp_root.share / "gimp.log").read_text()
        yield gimp_root.share


def seen(share: Path, name: str) -> np.ndarray:
    return np.fromfile(share / f"{name}.pixels", "<f4")


def told(share: Path, name: str) -> dict:
    return json.loads((share / f"{name}.json").read_text())


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


@pytest.mark.parametrize("when", ["cancelled", "gave-up"])
def test_cancel_changes_nothing(window, when):
    same = "before" if when == "cancelled" else "redone-update"
    assert np.array_equal(seen(window, when), seen(window, same))
    assert told(window, when)["layers"] == told(window, same)["layers"]


def test_the_active_layer_stays_active(window):
    assert told(window, "applied")["active"] == told(window, "before")["active"] == ["Pasted"]
