"""Programs that are started here: apart from what surrounds this one, heard line by line, and gone when it is gone."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from installer.machine import Machine, clean_environment

# The guard between us and the program: our death, however sudden, closes its stdin, and it takes the program along.
_guard = """
import os, subprocess, sys, threading
try:
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
except OSError as error:
    sys.exit(f"{sys.argv[1]} could not be started: {error.strerror or error}")
def follow():
    sys.stdin.buffer.read()
    child.kill()
threading.Thread(target=follow, daemon=True).start()
status = child.wait()
sys.stdout.flush()
os._exit(status if 0 <= status < 256 else 1)
"""


def run(
    machine: Machine,
    words: Sequence[str | Path],
    hear: Callable[[str], None] | None = None,
    extra: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run a program to its end: its status and all it said. hear: is called with each line; extra: more environment.

    A program that cannot be started counts as one that failed saying so.
    """
    child = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", "-c", _guard, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**clean_environment(machine), "PYTHONIOENCODING": "utf-8", **(extra or {})},
        cwd=machine.home if machine.home.is_dir() else None,
        **_without_window(machine.platform),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    said: list[str] = []
    try:
        for content in child.stdout:
            line = content.decode(errors="replace").rstrip()
            said.append(line)
            if hear is not None:
                hear(line)
        return child.wait(), "\n".join(said)
    finally:
        with contextlib.suppress(OSError):
            child.stdin.close()
        child.stdout.close()
        child.wait()


def _without_window(platform: str) -> dict[str, Any]:
    return {"creationflags": 0x08000000} if platform == "win32" and sys.platform == "win32" else {}  # CREATE_NO_WINDOW
