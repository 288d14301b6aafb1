"""The engine's packages: locked wheels, from the user's package index or from a folder, put into an environment."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from installer import children, complaints, pythons
from installer.failure import InstallError
from installer.machine import Machine
from installer.payload import Payload
from installer.rows import Tell
from installer.writing import write


@dataclass(frozen=True)
class Source:
    """Where wheels come from: a folder, no index being asked at all, or, without one, the user's package index."""

    wheelhouse: Path | None = None


def fill(machine: Machine, payload: Payload, lock: Path, environment: Path, source: Source, tell: Tell) -> None:
    """Install the locked packages and the engine itself, with uv where it is there and manages, else with pip.

    What has been downloaded stays in DATA/downloads for the next attempt. tell: is told 0..1 of this. Raises InstallError.
    """
    if source.wheelhouse is not None and not source.wheelhouse.is_dir():
        raise InstallError("no_wheelhouse", f"There is no folder {source.wheelhouse}.", "Name the folder with the wheels.")
    python, uv = machine.python(environment), pythons.uv(machine)
    wanted = ["--require-hashes", "-r", lock, "-r", _engine(payload, environment)]
    places = ["--no-index", "--find-links", source.wheelhouse.absolute()] if source.wheelhouse else []
    tools = [_uv(machine, uv, python)] if uv else []
    said = ""
    for words in (*tools, _pip(machine, python, payload)):
        status, said = _heard(machine, [*words, *places, *wanted], lock, tell)
        if status == 0:
            return
    error = complaints.understood(said, source.wheelhouse, machine)
    if error.code == "packages":
        log = machine.data / "install.log"
        write(log, complaints.discreet(said).encode())
        error = InstallError(error.code, error.message, f"All that was said stands in {log}.")
    raise error


def _engine(payload: Payload, environment: Path) -> Path:
    """Write down the engine's own wheel as a requirement."""
    wheel, path = payload.wheel(), environment / "engine.txt"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    write(path, f"harmonize @ {wheel.absolute().as_uri()} --hash=sha256:{digest}\n".encode())
    return path


def _uv(machine: Machine, program: str, python: Path) -> list[str | Path]:
    words = [program, "pip", "install", "--python", python, "--only-binary", ":all:", "--no-progress"]
    return [*words, "--cache-dir", machine.data / "downloads" / "uv"]


def _pip(machine: Machine, python: Path, payload: Payload) -> list[str | Path]:
    words = [python, "-I", "-X", "utf8", payload.pip() / "pip", "install", "--no-user", "--no-input"]
    words += ["--no-compile", "--only-binary", ":all:", "--retries", "2", "--progress-bar", "off"]
    words += ["--disable-pip-version-check"]
    return [*words, "--cache-dir", machine.data / "downloads" / "pip"]


def _heard(machine: Machine, words: list[str | Path], lock: Path, tell: Tell) -> tuple[int, str]:
    """Run a tool and pass on what it downloads."""
    every = sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())
    seen = 0

    def hear(line: str) -> None:
        nonlocal seen
        fetched = re.match(r"\s*Downloading (\S+?)(?:-\d\S*)? \((.*)\)", line)
        seen += fetched is not None or line.startswith("Collecting")
        if fetched and "metadata" not in line:
            tell(f"Downloading {fetched[1]} ({fetched[2]})", min(1.0, seen / (2 * every)))
        elif line.startswith("Installing collected"):
            tell("Putting the packages together", 0.9)

    return children.run(machine, words, hear)
