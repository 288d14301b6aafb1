"""What an installation was told, kept so that `repair` does the same."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

from installer.engine import installed
from installer.failure import InstallError
from installer.machine import Machine
from installer.writing import read, write


@contextlib.contextmanager
def kept(machine: Machine, chosen: argparse.Namespace, dry: bool = False) -> Generator[None, None, None]:
    """Keep the choices while the engine is installed and from then on; an installation that never began leaves none.

    --no-editors after plug-ins were installed means this time only: the button in an editor says it, and `repair` goes on
    to look after them. A graphics card that did not prove itself is forgotten, or every repair would fetch its packages.
    """
    before = _told(machine)
    told = {"editor": chosen.editor, "no_editors": chosen.no_editors, "device": chosen.device}
    if chosen.no_editors and before.get("no_editors") is False:
        told |= {"editor": before.get("editor"), "no_editors": False}
    if not dry:
        write(_path(machine), json.dumps(told).encode(), 0o600)
    try:
        yield
        if not dry and (made := installed(machine)) is not None:
            write(_path(machine), json.dumps(told | {"device": made.device}).encode(), 0o600)
    except InstallError:
        if not any((machine.data / "versions").glob("*")):
            _path(machine).unlink(missing_ok=True)
        raise


def recall(machine: Machine, chosen: argparse.Namespace) -> None:
    """Fill in what the command line leaves open."""
    told = _told(machine)
    chosen.no_editors = chosen.no_editors or (bool(told.get("no_editors")) and not chosen.editor)
    chosen.editor = chosen.editor or told.get("editor")
    chosen.device = chosen.device or told.get("device")


def _path(machine: Machine) -> Path:
    return machine.data / "choices.json"


def _told(machine: Machine) -> dict[str, Any]:
    try:
        told = json.loads(read(_path(machine)) or b"{}")
    except (InstallError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
