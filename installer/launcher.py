"""The command `harmonize`, for who works in a terminal: a few lines that start the version in use."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from installer.changes import Changes
from installer.failure import InstallError
from installer.machine import Machine
from installer.rows import Tell

_unix = """#!/bin/sh
# Made by Harmonize's installer.
folder={data}
exec "$folder/versions/$(cat "$folder/current")/bin/python" -I -X utf8 -m harmonize_engine.cli.main "$@"
"""
_windows = """@rem Made by Harmonize's installer.
@chcp 65001 >nul
@set /p harmonize=<"{data}\\current"
@"{data}\\versions\\%harmonize%\\Scripts\\python.exe" -I -X utf8 -m harmonize_engine.cli.main %*
"""


def path(machine: Machine) -> Path:
    """Where it goes."""
    return machine.home / ".local" / "bin" / ("harmonize.cmd" if machine.platform == "win32" else "harmonize")


def place(machine: Machine, changes: Changes, tell: Tell) -> None:
    """Put it there, where the folder is on the PATH, or on a Linux, which has it there from the next login on."""
    target, separator = path(machine), ";" if machine.platform == "win32" else os.pathsep
    on_path = str(target.parent) in machine.environment.get("PATH", "").split(separator)
    if not on_path and machine.platform != "linux":
        return
    if "FLATPAK_ID" in machine.environment:  # outside of the sandbox, whose folder this is as well, it would not start
        return
    try:
        changes.write(target, content(machine), 0o755)
    except InstallError as error:  # an engine that works is worth more than its command
        tell(f"The command harmonize is not set up: {error.message}", None)


def content(machine: Machine) -> bytes:
    """Write it out for a machine."""
    if machine.platform == "win32":
        return _windows.format(data=str(machine.data).replace("%", "%%")).replace("\n", "\r\n").encode()
    return _unix.format(data=shlex.quote(str(machine.data))).encode(errors="surrogateescape")
