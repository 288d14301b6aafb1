"""The engine's environment: a folder with a Python and the engine's packages, proved before it is used."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from installer import accelerator, children, complaints, packages, pythons
from installer.failure import InstallError, explaining
from installer.machine import Machine
from installer.packages import Source
from installer.payload import Payload
from installer.rows import Tell, part
from installer.writing import read, remove_tree, write

Device = Literal["cpu", "gpu"]
card = "harmonize.json"  # what the environment is; written last, so that one without it is none
mebibyte = 1 << 20
room = {"cpu": 600 * mebibyte, "gpu": 7000 * mebibyte}  # for the downloads and the environment


@dataclass(frozen=True)
class Made:
    """What an environment is. contents: SHA-256 of the engine's wheel and of the lock that it was made from."""

    version: str
    device: Device
    contents: str
    milliseconds: float  # one inference, as measured here; 0 where no network was run


def make(machine: Machine, payload: Payload, folder: Path, source: Source, device: Device, tell: Tell) -> Made:
    """Make an environment in a folder, emptied first, and prove it. tell: is told 0..1 of this. Raises InstallError."""
    lock = payload.lock(machine, device == "gpu")
    if device == "gpu":
        accelerator.check(machine, tell)
    with explaining(folder):
        remove_tree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
    _check_room(folder.parent, device)
    tell("Making a Python environment", 0.0)
    _start(machine, folder)
    packages.fill(machine, payload, lock, folder, source, part(tell, 0.1, 0.8))
    _remove_programs(machine, folder)
    tell("Trying the engine on a picture", 0.85)
    told = tried(machine, folder)
    if device == "gpu" and told["device"] == "cpu":
        raise InstallError("gpu_unfit", str(told["reason"] or "No accelerator has proved itself."))
    made = Made(payload.version, device, contents(payload, lock), float(told["milliseconds"] or 0))
    write(folder / card, json.dumps(asdict(made)).encode())
    return made


def described(folder: Path) -> Made | None:
    """Read what an environment is, None where it is none or was not finished."""
    try:
        return Made(**json.loads(read(folder / card) or b""))
    except (ValueError, TypeError):
        return None


def contents(payload: Payload, lock: Path) -> str:
    """Fingerprint what an environment is made from."""
    return hashlib.sha256(payload.wheel().read_bytes() + lock.read_bytes()).hexdigest()


def tried(machine: Machine, folder: Path) -> dict[str, Any]:
    """Have the environment's engine answer a real request through a server of its own; what it tells of its device.

    Raises InstallError.
    """
    status, said = children.run(machine, [machine.python(folder), "-I", "-X", "utf8", "-m", "installer.trial"])
    try:
        told = json.loads(said.splitlines()[-1])
        if status == 0 and {"device", "reason", "milliseconds"} <= told.keys():
            return told
        raise InstallError(str(told["code"]), str(told["message"]), str(told["hint"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        complaint = (said.strip() or "it said nothing").splitlines()[-1][:300]
        message = f"The engine does not run: {complaint}"
        raise InstallError("engine_unfit", message, "Try again, and report it if it stays so.") from None


def _check_room(folder: Path, device: Device) -> None:
    with explaining(folder):
        free = shutil.disk_usage(folder).free
    if free < room[device]:
        wanted = room[device] // mebibyte
        message = f"The disk of {folder} has {free // mebibyte} MB free, and the engine takes {wanted} MB for a while."
        raise InstallError("disk_full", message, "Free some space, then try again.")


def _start(machine: Machine, folder: Path) -> None:
    """Make an empty environment; the Python's own venv, or uv where a Linux leaves that out."""
    python, uv = pythons.fit(machine).path, pythons.uv(machine)
    makers: list[list[str | Path]] = [[python, "-I", "-m", "venv", "--without-pip", folder]]
    makers += [[uv, "venv", "--no-project", "--allow-existing", "--python", python, folder]] if uv else []
    said = ""
    for words in makers:
        status, said = children.run(machine, words)
        if status == 0:
            return
    if "No module named" in said:
        raise InstallError("no_venv", f"{python} comes without venv.", "Install python3-venv, or uv, then try again.")
    raise complaints.understood(said, None, machine)


def _remove_programs(machine: Machine, folder: Path) -> None:
    """Remove the packages' programs: they name the folder's first place, and nobody calls them."""
    with explaining(folder):
        for program in machine.python(folder).parent.iterdir():
            if not program.name.startswith("python") and program.suffix not in (".dll", ".pyd"):
                program.unlink()
