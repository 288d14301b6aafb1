"""The plug-in without a window and with the real engine: a folder of pictures, and once more with the last values."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gimp_scene import start
from gimp_session import Gimp

root = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def served(gimp_root):
    """A GIMP that finds the real engine."""
    folder = gimp_root.session / "runtime/harmonize"
    folder.mkdir(mode=0o700, exist_ok=True)
    logs = gimp_root.session / "logs"
    environment = {**os.environ, "HARMONIZE_RUNTIME_DIR": str(folder), "HARMONIZE_LOG_DIR": str(logs)}
    command = [sys.executable, "-m", "model_server", "--announce"]
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert '"ready": true' in server.stdout.readline()
        with Gimp(gimp_root) as gimp:
            yield gimp
        server.terminate()


make = """
import math
for name in ("one", "two"):
    image, under, pasted = scene()
    image.scale(320, 240)
    image.set_selected_layers([pasted])
    save(image, f"/session/share/pictures/{name}.xcf")
    image.flatten()
    save(image, f"/session/share/pictures/{name}.png")
image, under, pasted = scene()
image.set_selected_layers([under])
save(image, "/session/share/pictures/whole.xcf")
result("made")
"""

look = """
answer = {}
for name in ("one", "two"):
    image = load(f"/session/share/results/{name}.xcf")
    answer[name] = tree(image)
    keep(f"/session/share/{name}.after", shown(image))
    keep(f"/session/share/{name}.before", shown(load(f"/session/share/pictures/{name}.png")))
result(json.dumps(answer))
"""


def test_a_folder_of_pictures(served):
    share = served.share
    (share / "pictures").mkdir()
    served.run(start + make)
    shutil.copy(root / "plugin_gimp/batch/harmonize_folder.py", share)
    command = ("python3", "/session/share/harmonize_folder.py", "/session/share/pictures", "/session/share/results")
    ended = served.root.run(*command, timeout=300)
    print(ended.stdout)
    lines = dict(line.split(": ", 1) for line in ended.stdout.splitlines() if ".xcf: " in line)
    assert list(lines) == ["one.xcf", "two.xcf", "whole.xcf"]
    assert "harmon" in lines["one.xcf"] and "before" in lines["one.xcf"]
    assert "covers the whole picture" in lines["whole.xcf"]
    assert ended.returncode == 1
    served.run(start + look)
    for name in ("one", "two"):
        before, after = (np.fromfile(share / f"{name}.{when}", "<f4") for when in ("before", "after"))
        assert np.abs(after - before).max() > 0.02


def test_once_more_with_the_last_values(served):
    script = """
image, under, pasted = scene()
image.scale(320, 240)
procedure = Gimp.get_pdb().lookup_procedure("plug-in-harmonize")
for mode, strength in ((Gimp.RunMode.NONINTERACTIVE, 30), (Gimp.RunMode.WITH_LAST_VALS, None)):
    call = procedure.create_config()
    call.set_property("image", image)
    call.set_core_object_array("drawables", [pasted])
    call.set_property("run-mode", mode)
    call.set_property("always", True)
    if strength:
        call.set_property("color-strength", strength)
    assert procedure.run(call).index(0) == ok, Gimp.get_pdb().get_last_error()
result(tree(image))
"""
    assert "Harmonize: Pasted" in served.run(start + script)
