"""The versions of the engine on a machine: their folders, which one is in use, and which one to go back to."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from installer.environment import Made, described
from installer.failure import explaining, patiently
from installer.machine import Machine
from installer.writing import read, remove_tree, write


@dataclass(frozen=True)
class Versions:
    """DATA/versions/NAME, and what DATA says of them. A name is a version, with `-gpu` where it is for an accelerator."""

    machine: Machine

    @property
    def folder(self) -> Path:
        """Where they all are."""
        return self.machine.data / "versions"

    def partial(self, name: str) -> Path:
        """Where a version is made; what is there before is what a killed installer has left."""
        return self.folder / f"{name}.partial"

    @property
    def current(self) -> str | None:
        """The name of the one in use."""
        return self._named("current")

    @property
    def previous(self) -> str | None:
        """The name of the one to go back to."""
        return self._named("previous")

    def made(self, name: str) -> Made | None:
        """Tell what a version is, None where it is not there or not whole."""
        return described(self.folder / name)

    def python(self, name: str) -> Path:
        """Name a version's Python."""
        return self.machine.python(self.folder / name)

    def command(self, name: str) -> list[str]:
        """What starts a version's server."""
        return [str(self.python(name)), "-I", "-X", "utf8", "-m", "model_server"]

    def put(self, name: str) -> None:
        """Give a finished version its name; one of this name that is there goes."""
        partial, target, old = self.partial(name), self.folder / name, self.folder / f"{name}.old"
        with explaining(target):
            remove_tree(old)
            if target.exists():
                patiently(lambda: os.replace(target, old))
            patiently(lambda: os.replace(partial, target))

    def switch(self, name: str) -> None:
        """Use a version from now on, and remember the one that was used. engine.json, the plug-ins' word, comes last."""
        data, used = self.machine.data, self.current
        if used is not None and used != name and self.made(used):
            write(data / "previous", f"{used}\n".encode())
        write(data / "current", f"{name}\n".encode())
        made = self.made(name)
        told = {"command": self.command(name), "version": made.version if made else name}
        write(data / "engine.json", json.dumps(told).encode(), 0o600)

    def tidy(self) -> None:
        """Remove what is neither in use nor to go back to, as far as nobody has it open, and the downloads."""
        kept = {self.current, self.previous}
        folders = [path for path in self.folder.glob("*") if path.name not in kept]
        for folder in (*folders, self.machine.data / "downloads"):
            with contextlib.suppress(OSError):
                remove_tree(folder)

    def _named(self, file: str) -> str | None:
        name = (read(self.machine.data / file) or b"").decode(errors="replace").strip()
        return name if name and Path(name).name == name else None
