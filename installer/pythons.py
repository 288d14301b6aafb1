"""The Pythons of a machine, and which of them the engine can be run by.

This file, machine.py and failure.py are also understood by Python 3.8, which must know a newer one to hand over to.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from installer.failure import InstallError
from installer.machine import Machine, clean_environment

oldest = (3, 11)  # of those that all packages of the locks have wheels for
hint = "Install Python 3.13 from python.org, or uv, then try again."
_seconds = 20.0

_probe = """
import json, struct, sys, sysconfig
print(json.dumps({
    "path": sys.executable, "version": sys.version_info[:2], "bits": 8 * struct.calcsize("P"), "base": sys.base_prefix,
    "platform": sysconfig.get_platform(), "implementation": sys.implementation.name,
    "threaded": not sysconfig.get_config_var("Py_GIL_DISABLED"), "libc": sysconfig.get_config_var("HOST_GNU_TYPE") or "",
}))
"""


@dataclass(frozen=True)
class Python:
    """What a Python says of itself. unfit: why the engine cannot be run by it, "" where it can."""

    path: Path
    version: tuple[int, int]
    unfit: str


def fit(machine: Machine) -> Python:
    """Find a Python for the engine: this one, another of the machine, or one that uv brings. Raises InstallError."""
    reasons: list[str] = []
    for words in (*candidates(machine), *_of_uv(machine)):
        python = examined(machine, words)
        if python is not None and not python.unfit:
            return python
        if python is not None and python.unfit not in reasons:
            reasons.append(python.unfit)
    wanted = f"No Python {_dotted(oldest)} to {_dotted(_newest(machine))} that the engine can use was found."
    raise InstallError("no_python", " ".join((wanted, *reasons)), hint)


def candidates(machine: Machine) -> Iterator[list[str]]:
    """Name what may start a Python: this one, then those on the PATH, the likeliest to have everything first."""
    yield [sys.executable]
    versions = [f"3.{minor}" for minor in (13, 12, 14, 11)]
    path = clean_environment(machine).get("PATH")
    if machine.platform == "win32":
        launcher = shutil.which("py", path=path)
        yield from ([launcher, f"-{version}"] for version in versions if launcher)
    for name in (*(f"python{version}" for version in versions), "python3", "python"):
        program = shutil.which(name, path=path)
        if program and not _is_bait(machine, Path(program)):
            yield [program]


def _is_bait(machine: Machine, program: Path) -> bool:
    """Whether it would open a window that offers to install developers' tools, as on a new Mac."""
    if machine.platform != "darwin" or program.parent != Path("/usr/bin"):
        return False
    selected = shutil.which("xcode-select", path=clean_environment(machine).get("PATH"))
    words = [selected or "xcode-select", "-p"]
    try:
        return subprocess.run(words, capture_output=True, env=clean_environment(machine), check=False).returncode != 0
    except OSError:
        return True


def examined(machine: Machine, words: Sequence[str]) -> Python | None:
    """Ask a Python what it is; None where it does not answer."""
    try:
        ended = subprocess.run(
            [*words, "-I", "-c", _probe],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(machine),
            timeout=_seconds,
            check=True,
        )
        told = json.loads(ended.stdout)
        version = (int(told["version"][0]), int(told["version"][1]))
        return Python(Path(told["path"]), version, _unfit(machine, told, version))
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError):
        return None


def uv(machine: Machine) -> str | None:
    """Find uv, also where its own installer puts it without the PATH knowing."""
    path = clean_environment(machine).get("PATH", "")
    usual = [str(machine.home / folder / "bin") for folder in (".local", ".cargo")]
    return shutil.which("uv", path=os.pathsep.join((path, *usual)))


def _of_uv(machine: Machine) -> Iterator[list[str]]:
    """Have uv bring a Python into DATA, where it goes with everything else."""
    program = uv(machine)
    if program is None:
        return
    folder = machine.data / "python"
    words = [program, "python", "install", "--no-bin", "--install-dir", str(folder), "3.13"]
    subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=clean_environment(machine), check=False)
    name = "python.exe" if machine.platform == "win32" else "bin/python3"
    yield from ([str(path)] for path in sorted(folder.glob(f"*/{name}")))


def _unfit(machine: Machine, told: dict[str, object], version: tuple[int, int]) -> str:
    name, base = f"Python {_dotted(version)}", str(told["base"])
    mounts = [machine.environment[mount] for mount in ("APPDIR", "SNAP") if machine.environment.get(mount)]
    if not oldest <= version <= _newest(machine):
        return f"{name} is too {'old' if version < oldest else 'new'}."
    if told["bits"] != 64:
        return f"{name} at {base} has 32 bits, and 64 are needed."
    if told["implementation"] != "cpython" or not told["threaded"]:
        return f"{name} at {base} is not the usual kind of Python."
    if machine.platform == "win32" and not str(told["platform"]).startswith("win"):
        return f"{name} at {base} is of MSYS2, for which there are no packages."
    if machine.platform == "win32" and "WindowsApps" in base:
        return f"{name} is of the Microsoft Store, which hides from other programs what it installs."
    if "musl" in str(told["libc"]):
        return f"{name} at {base} is of a system with musl, for which there are no packages."
    if any(base.startswith(mount) for mount in mounts):
        return f"{name} is part of an editor's package, and goes with it."
    return ""


def _newest(machine: Machine) -> tuple[int, int]:
    """The newest that all packages have wheels for; the last ONNX Runtime for Macs with an Intel processor is old."""
    return (3, 13) if (machine.platform, machine.architecture) == ("darwin", "x86_64") else (3, 14)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
