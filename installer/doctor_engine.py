"""The doctor's rows on the engine: what is installed, and what it says of itself when it is run."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from installer import engine as engines
from installer.failure import InstallError
from installer.machine import Machine, clean_environment
from installer.rows import Row

first = "Run harmonize-install.pyz"
repair = "Run: harmonize repair"
patience = 120.0  # seconds for an engine to examine itself; a cold disk is slow


def rows(machine: Machine, needed: bool = True) -> Iterator[Row]:
    """Tell what the installer has put there; needed: not to be installed is a problem."""
    try:
        installed = engines.installed(machine)
    except InstallError as error:
        yield Row("installed engine", False, error.message, error.hint or repair)
        return
    if installed is None:
        yield Row("installed engine", not needed, "none", first if needed else "The editors need one: " + first.lower())
    elif not installed.healthy:
        yield Row("installed engine", False, f"{installed.version} is damaged: {installed.python} does not start", repair)
    else:
        kept = f", {installed.previous} is kept" if installed.previous else ""
        yield Row("installed engine", True, f"{installed.version} for {installed.device} in {machine.data}{kept}")
    for partial in sorted((machine.data / "versions").glob("*.partial")):
        yield Row("unfinished set-up", False, str(partial), repair)
    if installed is not None:
        yield _starting(machine, installed)


def _starting(machine: Machine, installed: engines.Installed) -> Row:
    """Look at engine.json as the plug-ins will: what starts the engine, and whether only the user can change that."""
    path = machine.data / "engine.json"
    try:
        content = json.loads(path.read_bytes())
        mode = path.stat().st_mode & 0o777
    except (OSError, ValueError) as error:
        return Row("engine.json", False, f"cannot be read: {getattr(error, 'strerror', None) or 'it is damaged'}", repair)
    command = content.get("command") if isinstance(content, dict) else None
    if not isinstance(command, list) or not command or Path(str(command[0])) != installed.python:
        return Row("engine.json", False, "does not name the installed engine", repair)
    if os.name == "posix" and mode & 0o022:
        return Row("engine.json", False, f"others may change it (mode {mode:o})", f'Close it: chmod 600 "{path}"')
    return Row("engine.json", True, f"starts {installed.python}")


def inside(machine: Machine, python: Path) -> Iterator[Row]:
    """Have the engine examine itself: its packages, the weights' hashes, its device, a real picture, memory."""
    words = ("-m", "harmonize_engine.cli.main", "doctor", "--engine", "--json")
    told = said(machine, python, words)
    checks = told.get("checks")
    if not isinstance(checks, list):
        yield Row("engine", False, str(told.get("message", "it did not answer")), repair)
        return
    for check in checks:
        yield Row(str(check["what"]), bool(check["ok"]), str(check["found"]), str(check["todo"]))


def said(machine: Machine, python: Path, words: Sequence[str]) -> dict[str, Any]:
    """Run the engine's Python, apart from what surrounds this program, and read the JSON object it prints.

    Without one, the answer has a `message` that says why.
    """
    try:
        ended = subprocess.run(
            [str(python), "-I", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=clean_environment(machine),
            cwd=machine.home if machine.home.is_dir() else None,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"message": f"the engine did not answer within {patience:.0f} seconds"}
    except OSError as error:
        return {"message": f"{python} could not be started: {error.strerror or error}"}
    try:
        told = json.loads(ended.stdout)
    except ValueError:
        complaint = ended.stderr.decode(errors="replace").strip().splitlines()
        return {"message": complaint[-1] if complaint else f"the engine ended with status {ended.returncode}"}
    return told if isinstance(told, dict) else {"message": "the engine's answer is strange"}
