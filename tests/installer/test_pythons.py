"""Which Pythons are taken, told by made-up ones that answer as real ones do; and that old ones understand the question."""

import ast
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from installer import pythons
from installer.failure import InstallError
from installer.machine import Machine
from installer.pythons import candidates, examined, fit
from tests.installer.made_up import linux

usual = {
    "version": [3, 12],
    "bits": 64,
    "base": "/usr",
    "platform": "linux-x86_64",
    "implementation": "cpython",
    "threaded": True,
    "libc": "x86_64-pc-linux-gnu",
}


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def python(path: Path, **told: Any) -> Path:
    """A program that answers the question as a Python would."""
    return program(path, f"printf %s '{json.dumps({'path': str(path), **usual, **told})}'")


def machine(home: Path, platform: str = "linux", **environment: str) -> Machine:
    told = linux(home, **{"PATH": str(home / "bin"), **environment})
    return Machine(platform, "x86_64", told.environment, home)


@pytest.mark.parametrize(
    ("platform", "told", "reason"),
    [
        ("linux", {}, ""),
        ("darwin", {"platform": "macosx-14.0-arm64", "libc": ""}, ""),
        ("win32", {"platform": "win-amd64", "libc": ""}, ""),
        ("linux", {"version": [3, 10]}, "Python 3.10 is too old."),
        ("linux", {"version": [3, 15]}, "Python 3.15 is too new."),
        ("darwin", {"version": [3, 14], "platform": "macosx-14.0-x86_64"}, "Python 3.14 is too new."),
        ("win32", {"platform": "win32", "bits": 32}, "32 bits"),
        ("linux", {"implementation": "pypy"}, "not the usual kind"),
        ("linux", {"threaded": False}, "not the usual kind"),
        ("win32", {"platform": "mingw_x86_64_ucrt"}, "MSYS2"),
        ("win32", {"platform": "win-amd64", "base": r"C:\Program Files\WindowsApps\Python.3.12"}, "Microsoft Store"),
        ("linux", {"libc": "x86_64-alpine-linux-musl"}, "musl"),
        ("linux", {"base": "/mount/krita/usr"}, "part of an editor's package"),
    ],
)
def test_a_python_that_cannot_run_the_engine_is_known(
    platform: str, told: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    found = examined(machine(tmp_path, platform, APPDIR="/mount/krita"), [str(python(tmp_path / "python", **told))])
    assert found is not None
    assert reason in found.unfit and bool(reason) == bool(found.unfit)


@pytest.mark.parametrize("script", ["exit 1", "echo no JSON", "echo '{}'", "echo '[]'"])
def test_what_does_not_answer_is_no_python(script: str, tmp_path: Path) -> None:
    assert examined(machine(tmp_path), [str(program(tmp_path / "python", script))]) is None


def test_what_is_not_there_is_no_python(tmp_path: Path) -> None:
    assert examined(machine(tmp_path), [str(tmp_path / "python")]) is None


def test_this_python_is_asked_first(tmp_path: Path) -> None:
    assert next(candidates(machine(tmp_path))) == [sys.executable]


def test_another_one_is_taken_where_this_one_is_unfit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(python(tmp_path / "old", version=[3, 9])))
    python(tmp_path / "bin/python3.14", version=[3, 14])
    python(tmp_path / "bin/python3", version=[3, 10])
    assert fit(machine(tmp_path)).path == tmp_path / "bin/python3.14"


def test_without_one_uv_brings_one_into_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    here = machine(tmp_path)
    brought = python(tmp_path / "brought")
    bring = f'[ "$1 $2 $5" = "python install {here.data}/python" ] || exit 1'
    script = f'PATH=/usr/bin:/bin\n{bring}\nmkdir -p "$5/cpython-3.13/bin"\ncp "{brought}" "$5/cpython-3.13/bin/python3"'
    program(tmp_path / ".local/bin/uv", script)
    assert fit(here).path == brought  # as the copy says of itself


def test_without_any_all_reasons_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(python(tmp_path / "old", version=[3, 9])))
    python(tmp_path / "bin/python3.13", version=[3, 13], bits=32)
    with pytest.raises(InstallError) as refusal:
        fit(machine(tmp_path))
    assert refusal.value.code == "no_python"
    assert "Python 3.9 is too old." in refusal.value.message and "32 bits" in refusal.value.message
    assert "python.org" in refusal.value.hint


def test_windows_asks_its_launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin/py", "exit 1")
    asked = list(candidates(machine(tmp_path, "win32")))
    assert [str(tmp_path / "bin/py"), "-3.13"] in asked


@pytest.mark.parametrize(("tools", "asked"), [(0, True), (2, False)])
def test_a_new_macs_python_that_only_offers_developers_tools_is_not_asked(
    tools: int, asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "xcode-select", f"exit {tools}")
    found = {"python3": "/usr/bin/python3", "xcode-select": str(tmp_path / "xcode-select")}
    monkeypatch.setattr(pythons.shutil, "which", lambda name, path: found.get(name))
    words = list(candidates(Machine("darwin", "arm64", {"PATH": "/usr/bin"}, tmp_path)))
    assert (["/usr/bin/python3"] in words) == asked


@pytest.mark.parametrize("name", ["__init__", "__main__", "pythons", "machine", "failure"])
def test_python_3_8_understands_what_hands_over_to_a_newer_one(name: str) -> None:
    source = Path(pythons.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))
