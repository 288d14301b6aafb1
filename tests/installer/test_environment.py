"""An environment where the machine's Python lacks what others have, and an engine whose trial goes wrong."""

import json
from pathlib import Path

import pytest

from installer import environment, pythons
from installer.environment import Made, described, make, tried
from installer.failure import InstallError
from installer.machine import Machine
from installer.packages import Source
from installer.rows import silent
from tests.installer.made_up import Maker, linux


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose only Python comes without venv, as some Linuxes have it."""
    python = program(tmp_path / "python", 'echo "$0: No module named venv"; exit 1')
    monkeypatch.setattr(pythons, "fit", lambda _: pythons.Python(python, (3, 12), ""))
    return linux(tmp_path / "home")


def test_a_python_without_venv_is_told_of(machine: Machine, maker: Maker, tmp_path: Path) -> None:
    with pytest.raises(InstallError) as refusal:
        make(machine, maker.payload("1.0"), tmp_path / "new", Source(maker.wheelhouse), "cpu", silent)
    assert refusal.value.code == "no_venv" and "python3-venv, or uv" in refusal.value.hint


def test_uv_makes_what_a_python_without_venv_cannot(machine: Machine, maker: Maker, tmp_path: Path) -> None:
    program(machine.home / ".local/bin/uv", 'echo "$@" >>"$HOME/asked"; [ "$1" = venv ] && mkdir "$6"')
    with pytest.raises(InstallError) as refusal:
        make(machine, maker.payload("1.0"), tmp_path / "new", Source(maker.wheelhouse), "cpu", silent)
    asked = (machine.home / "asked").read_text().splitlines()
    assert asked[0] == f"venv --no-project --allow-existing --python {tmp_path / 'python'} {tmp_path / 'new'}"
    assert asked[1].startswith("pip install") and refusal.value.code != "no_venv"


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        (
            """echo '{"code": "weights_changed", "message": "Wrong weights.", "hint": ""}'; exit 2""",
            "weights_changed",
            "Wrong",
        ),
        ("echo 'ImportError: libfoo.so'; exit 1", "engine_unfit", "libfoo"),
        ("exit 1", "engine_unfit", "it said nothing"),
        ("echo '[]'", "engine_unfit", "[]"),
        ("""echo '{"device": "cpu"}'""", "engine_unfit", "cpu"),
    ],
)
def test_an_engine_that_fails_its_trial_says_why(script: str, code: str, message: str, tmp_path: Path) -> None:
    machine = linux(tmp_path / "home")
    program(machine.python(tmp_path / "new"), script)
    with pytest.raises(InstallError) as refusal:
        tried(machine, tmp_path / "new")
    assert refusal.value.code == code and message in refusal.value.message


def test_an_environment_without_its_card_was_not_finished(tmp_path: Path) -> None:
    made = Made("1.0", "cpu", "contents", 7.5)
    assert described(tmp_path) is None
    (tmp_path / environment.card).write_text(json.dumps(vars(made)))
    assert described(tmp_path) == made
    (tmp_path / environment.card).write_text("{")
    assert described(tmp_path) is None
