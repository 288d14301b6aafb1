"""A GIMP that has nothing but the plug-in from its zip: the dialog's button sets up the engine, by the keyboard alone."""

import json
import os

import numpy as np
import pytest
from gimp_desk import drive, picture, seen, told
from gimp_session import Session, build
from setup_kit import installer
from test_gimp_window import wanted

steps = r"""
plugin=/session/home/.config/GIMP/VERSION/plug-ins/harmonize
set_up() { rm -f $plugin/words; press alt+e; wait_for test -e $plugin/words; sleep 2; }
keep before
printf fails > $plugin/mood
open_dialog "match colour"
picture setup-missing
set_up
picture setup-failed
printf waits > $plugin/mood
set_up
picture setup-waiting
press alt+p
sleep 2
picture setup-stopped
set_up
printf works > $plugin/mood
sleep 4
picture setup-ready
close_dialog Return
keep applied
"""


@pytest.fixture(scope="module")
def session(gimp_root):
    """With an engine that is to be found only once the installer was there."""
    with Session(gimp_root, wanted) as session:
        hidden = gimp_root.session / "state"
        os.replace(session.engine.file, hidden)
        session.version = "3.0" if "trixie" in gimp_root.tree.name else "3.2"
        carried = installer(gimp_root.session / "built.pyz")
        session.plugin = build(gimp_root.session / "home/.config/GIMP" / session.version / "plug-ins", carried)
        brings = [gimp_root.inside(hidden), "/session/runtime/harmonize/server.json"]
        (session.plugin / "brings").write_text(json.dumps(brings))
        yield session


@pytest.fixture(scope="module")
def complaint(session):
    """What a script is told."""
    return session.run(f"{picture}\nresult(harmonize(image, pasted))")


@pytest.fixture(scope="module")
def window(session, complaint):
    return drive(session, steps.replace("VERSION", session.version))


def test_a_script_is_told_what_to_type(complaint, session, gimp_root):
    command = f'python3 "{gimp_root.inside(session.plugin)}/harmonize-install.pyz" install --no-editors'
    assert complaint == f"The Harmonize engine is not installed. Set it up with: {command}"


def test_the_button_sets_up_the_engine_and_the_dialog_goes_on(window, session):
    """It has failed once and was stopped once before: the button came back, or the steps would have waited in vain."""
    words = json.loads((session.plugin / "words").read_text())
    assert words == ["install", "--no-editors", "--yes", "--progress", "json"]
    assert np.abs(seen(window, "applied") - seen(window, "before")).max() > 0.1
    assert told(window, "applied")["layers"][0]["name"] == "Harmonize: Pasted"
