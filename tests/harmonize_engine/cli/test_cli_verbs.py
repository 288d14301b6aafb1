"""`harmonize fit`, `render`, `models` and `doctor`."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from harmonize_engine import Curves, Harmonization, Shading, render
from harmonize_engine.cli import doctor
from harmonize_engine.cli.fit import judgement
from installer import programs
from installer.machine import Machine
from tests.harmonize_engine.cli.conftest import Desk, scene

change = Harmonization(
    (Curves.uniform([[0.0, 0.4, 0.8], [0.05, 0.5, 0.9], [0.1, 0.6, 1.0]]), Shading([[0.9, 1.1]])), "test", "3"
)


def test_fit_finds_what_was_done(desk: Desk) -> None:
    composite, mask = scene()
    desk.write("after.png", render(composite, mask, change))
    files = (desk / "composite.png", desk / "after.png", "--mask", desk / "mask.png")
    ran = desk.harmonize("fit", *files, "-o", desk / "out.png", desk / "out.kra", desk / "out.json")
    assert ran.status == 0 and ran.err == ""
    assert "curves and light say it all" in ran.out
    assert np.abs(desk.pixels("out.png").astype(int) - desk.pixels("after.png")).max() <= 6
    assert Harmonization.from_json((desk / "out.json").read_text()).model == "fit"


def test_fit_judges_its_residual() -> None:
    assert [judgement(residual).split(";")[0] for residual in (0.2, 2, 5, 20)] == [
        "curves and light say it all",
        "very close",
        "close",
        "far off",
    ]


def test_fit_refuses_pictures_of_two_sizes(desk: Desk) -> None:
    desk.write("after.png", scene(height=40)[0])
    files = (desk / "composite.png", desk / "after.png", "--mask", desk / "mask.png", "-o", desk / "out.png")
    desk.refused("after_size", "fit", *files)
    desk.refused("would_overwrite_input", "fit", *files[:-1], desk / "after.png")
    desk.refused("usage", "fit", *files[:-2])


def test_render_applies_saved_parameters(desk: Desk) -> None:
    (desk / "change.json").write_text(change.to_json())
    composite, mask = scene()
    ran = desk.harmonize("render", desk / "change.json", desk / "composite.png", "-o", desk / "all.png")
    assert ran.status == 0 and "test 3" in ran.out
    assert (desk.pixels("all.png") == render(composite, np.full(mask.shape, 255, np.uint8), change)).all()
    masked = ("--mask", desk / "mask.png", "--light-strength", "0.5", "-o", desk / "some.png")
    desk.harmonize("render", desk / "change.json", desk / "composite.png", *masked)
    assert (desk.pixels("some.png") == render(composite, mask, change, light_strength=0.5)).all()


def test_render_refuses_what_are_no_parameters(desk: Desk) -> None:
    rest = (desk / "composite.png", "-o", desk / "out.png")
    desk.refused("file_missing", "render", desk / "none.json", *rest)
    desk.refused("file_unreadable", "render", desk.folder, *rest)
    for text in ("", "{}", "[1]", '{"format": "harmonize/1", "adjustments": [{"kind": "blur"}]}', "\x00\xff"):
        (desk / "bad.json").write_bytes(text.encode("latin-1"))
        desk.refused("bad_parameters", "render", desk / "bad.json", *rest)


def test_models(desk: Desk) -> None:
    told = desk.harmonize("models").out
    assert told.startswith("parametric") and "(default)" in told.splitlines()[0] and "\nstatistics" in told
    listed = json.loads(desk.harmonize("models", "--json").out)
    assert [model["name"] for model in listed] == ["parametric", "statistics"]
    assert len(listed[0]["weights_sha256"]) == 64 and listed[0]["default"]


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A user for whom the installer has done nothing yet, on a computer without editors."""
    machine = Machine("linux", "x86_64", {"HARMONIZE_RUNTIME_DIR": str(tmp_path / "run")}, tmp_path)
    monkeypatch.setattr(Machine, "this", lambda: machine)
    monkeypatch.setattr(programs, "installed", lambda *_: [])
    return machine


def test_doctor_finds_everything_well(desk: Desk, nothing_installed: Machine) -> None:
    ran = desk.harmonize("doctor")
    assert ran.status == 0, ran.out
    assert "PROBLEM" not in ran.out and "ms looking" in ran.out
    checks = json.loads(desk.harmonize("doctor", "--json").out)
    assert checks["ok"] and {"Python", "numpy", "weights", "device", "one picture", "free memory", "server", "editors"} <= {
        row["what"] for row in checks["checks"]
    }
    engine_alone = json.loads(desk.harmonize("doctor", "--engine", "--json").out)
    assert {row["what"] for row in engine_alone["checks"]} < {row["what"] for row in checks["checks"]}


def test_the_installers_verbs_are_handed_over(desk: Desk, nothing_installed: Machine) -> None:
    """Without an installer that was kept, as in a clone that was not built, this one says what it lacks."""
    with pytest.raises(SystemExit) as ended:
        desk.harmonize("uninstall", "--dry-run")
    assert ended.value.code == 0
    desk.refused("usage", "uninstall", "--wheelhouse", "x")


if os.name == "posix":

    def test_the_installer_that_was_kept_takes_over(desk: Desk, tmp_path: Path) -> None:
        kept = tmp_path / "harmonize/harmonize-install.pyz"
        kept.parent.mkdir()
        with zipfile.ZipFile(kept, "w") as archive:
            archive.writestr(
                "__main__.py", "import json, sys; print(json.dumps([sys.argv[1:], sys.prefix == sys.base_prefix]))"
            )
        command = [sys.executable, "-m", "harmonize_engine.cli.main", "repair", "--yes", "--device", "cpu"]
        environment = os.environ | {"XDG_DATA_HOME": str(tmp_path)}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert json.loads(ended.stdout) == [["repair", "--yes", "--device", "cpu"], True]


def test_doctor_tells_what_to_do(
    desk: Desk, weights: Path, nothing_installed: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (weights / "parametric.onnx").write_bytes(b"changed")
    monkeypatch.setattr(doctor, "packages", {"numpy": (999, 0), "no-such-package": (1, 0)})
    monkeypatch.setattr(doctor, "_free_memory", lambda: 1000)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    ran = desk.harmonize("doctor")
    assert ran.status == 2
    assert ran.err == "harmonize: error [problems_found]: Found 7 problems. What to do stands in each row.\n"
    for told in ("[weights_changed]", "Install Harmonize again.", "Install numpy 999.0", "missing", "TMPDIR"):
        assert told in ran.out


def test_free_memory_of_this_computer() -> None:
    free = doctor._free_memory()
    assert free is not None and 1 << 20 < free < 1 << 50
