"""The engine: put in an environment of its own, proved by a real request, switched to, rolled back, removed."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from installer import children, environment, launcher
from installer.changes import Changes
from installer.environment import Device
from installer.failure import InstallError, explaining
from installer.machine import Machine
from installer.packages import Source
from installer.payload import Payload
from installer.rows import Tell, part
from installer.versions import Versions
from installer.writing import read, remove_tree, write

__all__ = ["Device", "Installed", "Source", "install", "installed", "remove", "roll_back"]
things = ("engine.json", "current", "previous", "versions", "downloads", "python", "harmonize-install.pyz")
things += ("Logs", "Cache")  # on Windows the engine's own are there, too


@dataclass(frozen=True)
class Installed:
    """The engine in use. healthy: it is whole and its Python starts; previous: the version that roll_back goes to."""

    version: str
    device: Device
    python: Path
    healthy: bool
    previous: str | None


def installed(machine: Machine) -> Installed | None:
    """Tell which engine is in use, if any. Raises InstallError."""
    versions = Versions(machine)
    name = versions.current
    if name is None:
        return None
    made, python = versions.made(name), versions.python(name)
    healthy = made is not None and children.run(machine, [python, "-I", "-c", "import model_server"])[0] == 0
    past = versions.made(versions.previous) if versions.previous else None
    previous = past.version if past else None
    device: Device = "gpu" if name.endswith("-gpu") else "cpu"
    return Installed(made.version if made else name.removesuffix("-gpu"), device, python, healthy, previous)


def install(
    machine: Machine, payload: Payload, *, source: Source, device: Device | None = None, tell: Tell, changes: Changes
) -> str:
    """Install the payload's engine and switch to it; returns its version. One that is there and works stays.

    device: None = as it is, or "cpu". An accelerator that does not prove itself leaves the processor, told in a sentence.
    Raises InstallError; the engine that was in use before stays in use then.
    """
    versions = Versions(machine)
    device = device or ("gpu" if (versions.current or "").endswith("-gpu") else "cpu")
    if changes.dry:
        tell(f"Put the engine {payload.version} for the {device} into {versions.folder}", None)
        launcher.place(machine, changes, tell)
        return payload.version
    changes.make_data()
    name = _there(machine, payload, device, tell) or _made(machine, payload, source, device, part(tell, 0.0, 0.95))
    used = versions.current
    versions.switch(name)
    if used is not None and used != name:
        _stop(machine, versions, used)
    _keep_installer(machine, payload)
    changes.own(machine.logs)
    launcher.place(machine, changes, tell)
    versions.tidy()
    tell(f"The engine {payload.version} is ready.", 1.0)
    return payload.version


def roll_back(machine: Machine, tell: Tell) -> str:
    """Switch to the previous version, if it works; returns it. Raises InstallError `no_previous`."""
    versions = Versions(machine)
    used, name = versions.current, versions.previous
    made = versions.made(name) if name else None
    if name is None or made is None or name == used:
        raise InstallError("no_previous", "There is no earlier version to go back to.", "Install the one that you want.")
    tell(f"Trying the engine {made.version}", None)
    environment.tried(machine, versions.folder / name)
    versions.switch(name)
    if used is not None:
        _stop(machine, versions, used)
    tell(f"The engine {made.version} is in use again.", 1.0)
    return made.version


def remove(machine: Machine, tell: Tell, changes: Changes) -> None:
    """Stop the server and remove the engine, its command and its logs; the record stays. Raises InstallError."""
    versions = Versions(machine)
    if not changes.dry and versions.current is not None:
        _stop(machine, versions, versions.current)
    changes.remove(launcher.path(machine))
    for name in things:
        path = machine.data / name
        if path.exists():
            tell(f"Remove {path}", None)
        if not changes.dry:
            with explaining(path):
                remove_tree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _there(machine: Machine, payload: Payload, device: Device, tell: Tell) -> str | None:
    """The name of a version that is what is wanted, and works."""
    versions, name = Versions(machine), _name(payload, device)
    made = versions.made(name)
    if made is None or made.contents != environment.contents(payload, payload.lock(machine, device == "gpu")):
        return None
    tell(f"The engine {payload.version} is there; trying it", 0.1)
    try:
        environment.tried(machine, versions.folder / name)
    except InstallError as error:
        tell(f"It is installed again: {error.message}", 0.2)
        return None
    return name


def _made(machine: Machine, payload: Payload, source: Source, device: Device, tell: Tell) -> str:
    """Make the version that is wanted, or, where the accelerator fails, one for the processor; returns its name."""
    versions, name = Versions(machine), _name(payload, device)
    try:
        environment.make(machine, payload, versions.partial(name), source, device, tell)
    except InstallError as error:
        with contextlib.suppress(OSError):
            remove_tree(versions.partial(name))
            versions.folder.rmdir()  # where nothing else is in it
        if device == "cpu":
            raise
        tell(f"The processor is used: {error.message}", None)
        return _there(machine, payload, "cpu", tell) or _made(machine, payload, source, "cpu", tell)
    if versions.current == name:
        _stop(machine, versions, name)
    versions.put(name)
    return name


def _name(payload: Payload, device: Device) -> str:
    return payload.version + ("-gpu" if device == "gpu" else "")


def _stop(machine: Machine, versions: Versions, name: str) -> None:
    """Ask the server that runs to finish its work and go; it goes by itself when idle if it does not hear."""
    if versions.python(name).exists():
        children.run(machine, [*versions.command(name), "--stop"])


def _keep_installer(machine: Machine, payload: Payload) -> None:
    """Keep the installer that has made this, for repair and removal."""
    target = machine.data / "harmonize-install.pyz"
    content = read(payload.archive)
    if content is not None and content != read(target):
        write(target, content)
