"""A GIMP with windows on a screen of its own, driven by the keyboard and the mouse, and watched from inside."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
from gimp_session import Session

# Two layers, the upper one with a soft round edge.
picture = """
import math, struct
W, H = 480, 320
def colours(f):
    return b"".join(struct.pack("<4f", *f(x / W, y / H)) for y in range(H) for x in range(W))
def disc(across, width):
    def colour(x, y):
        return 0.9, 0.6 + 0.2 * math.sin(30 * x), 0.3, min(1, max(0, 9 * (width - math.hypot(x - across, y - 0.5))))
    return colours(colour)
image = image_of(W, H)
layer_of(image, "Evening", colours(lambda x, y: (0.1 + 0.3 * y, 0.15 + 0.2 * y, 0.5 - 0.2 * y, 1)), W, H)
pasted = layer_of(image, "Pasted", disc(0.5, 0.35), W, H)
"""
tools = r"""
cd /session/share
wait_for() {
    for i in $(seq 300); do "$@" > /dev/null 2>&1 && return; sleep 0.1; done
    echo "waited in vain: $*"; picture lost; exit 1
}
managed() { xprop -root _NET_SUPPORTING_WM_CHECK | grep "window id"; }
openbox > /dev/null 2>&1 &
wait_for managed
watcher="exec(open('/session/bench/gimp_start.py').read())"
gimp --no-splash start.xcf --batch-interpreter=python-fu-eval -b "$watcher" > gimp.log 2>&1 &
window() { xdotool search --onlyvisible --name "$1"; }
gone() { ! xdotool search --onlyvisible --name "$1"; }
done_with_it() { ! pgrep -f plug-ins/harmonize/harmonize.py; }
picture() { import -window root "screen-$1.png"; }
keep() { touch "keep-$1"; wait_for test -e "$1.json"; sleep 0.3; }
inside() { echo "$1" > do.partial; mv do.partial do; wait_for test ! -e do; sleep 0.5; }
press() { xdotool key --clearmodifiers "$@"; sleep 0.4; }
click() { xdotool mousemove "$1" "$2"; sleep 0.2; xdotool click 1; sleep 0.8; }
front() { wait_for window "start.*GIMP"; xdotool windowactivate --sync $(window "start.*GIMP" | tail -1); sleep 0.5; }
find_entry() {
    front; press slash; wait_for window "Search Actions"
    xdotool type --delay 30 "$1"; sleep 1.5; picture search
    press Down Return
}
open_dialog() { find_entry "$1"; wait_for window "^Harmonize"; sleep 3; }
close_dialog() { press "$1"; wait_for gone "^Harmonize"; sleep 2; }
apply_dialog() { close_dialog Return; wait_for done_with_it; sleep 1; }
wait_for window "start.*GIMP"
sleep 2
xdotool search --name "Welcome to GIMP" windowclose 2> /dev/null
front
xdotool windowsize $(window "start.*GIMP" | tail -1) 1366 740; xdotool windowmove $(window "start.*GIMP" | tail -1) 0 0
sleep 1
"""


def drive(session: Session, steps: str, files: dict[str, bytes] | None = None) -> Path:
    """Open the picture in GIMP and do the steps, a shell script beside the files; returns the folder with what they kept.

    With HARMONIZE_SCREENSHOTS the pictures of the screen are copied to that folder.
    """
    root = session.root
    for left in [path for path in root.share.iterdir() if path.is_file()]:  # by another test
        left.unlink()
    for name, content in (files or {}).items():
        (root.share / name).write_bytes(content)
    session.run(f"{picture}\nsave(image, '/session/share/start.xcf')\nresult('made')")
    (root.bench / "script.py").write_text(Path(__file__).with_name("gimp_watcher.py").read_text())
    (root.share / "steps.sh").write_text(f"{tools}\n{steps}\ntouch end\n")
    screen = ("xvfb-run", "-a", "-s", "-nolisten local -screen 0 1366x768x24")
    ended = root.run(*screen, "sh", "/session/share/steps.sh", timeout=240)
    (root.share / "end").unlink(missing_ok=True)
    folder = os.environ.get("HARMONIZE_SCREENSHOTS")
    for screenshot in root.share.glob("screen-*.png") if folder else ():
        shutil.copy(screenshot, Path(folder) / f"{root.tree.name[:6]}-{screenshot.name}")
    log = root.share / "gimp.log"  # there is none if not even the screen could be had
    assert ended.returncode == 0, f"exit status {ended.returncode}\n{ended.stdout}{log.read_text() if log.exists() else ''}"
    return root.share


def seen(share: Path, name: str) -> np.ndarray:
    """What was visible when the steps said `keep name`."""
    return np.fromfile(share / f"{name}.pixels", "<f4")


def told(share: Path, name: str) -> dict:
    """The layers as they were when the steps said `keep name`."""
    return json.loads((share / f"{name}.json").read_text())
