"""The installer started by any Python: a new one goes on, an old one hands over or says what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from installer import __main__ as program
from installer import commands, pythons
from installer.failure import InstallError
from installer.machine import Machine


def test_a_python_that_is_new_enough_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def command(words: list[str]) -> int:
        return len(words)

    monkeypatch.setattr(commands, "main", command)
    monkeypatch.setattr(sys, "argv", ["harmonize-install.pyz", "install", "--yes"])
    assert program.main() == 2


def test_an_old_python_hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    started = list[list[str]]()

    def call(words: list[str]) -> int:
        started.append(words)
        return 5

    monkeypatch.setattr(program, "needed", (99, 0))
    monkeypatch.setattr(pythons, "fit", lambda _: pythons.Python(Path("/newer/python"), (3, 13), ""))
    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(sys, "argv", ["harmonize-install.pyz", "doctor"])
    assert program.main() == 5
    assert started == [["/newer/python", "-m", "installer", "doctor"]]


def test_an_old_python_alone_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fit(machine: Machine) -> pythons.Python:
        raise InstallError("no_python", "There is no Python 3.11.", "Get one.")

    monkeypatch.setattr(program, "needed", (99, 0))
    monkeypatch.setattr(pythons, "fit", fit)
    assert program.main() == 2
    assert capsys.readouterr().err == "There is no Python 3.11. Get one.\n"
