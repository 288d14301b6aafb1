"""The machine that is installed on: its platform, the user's environment and home, and where Harmonize's things go."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# What editors, AppImages and environments of other programs leave behind, and what would lead pip elsewhere
foreign = ("PYTHON", "LD_", "DYLD_", "QT", "QML", "GI_", "GIO_", "GTK", "GDK_", "GST_", "GIMP", "GEGL", "BABL", "KRITA")
foreign_names = ("VIRTUAL_ENV", "CONDA_PREFIX", "APPDIR", "APPIMAGE", "ARGV0", "OWD", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON")
foreign_names += ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON")
architectures = {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Machine:
    """platform: as in sys.platform, "linux", "win32" or "darwin"; architecture: "x86_64", "arm64", ..., lower case."""

    platform: str
    architecture: str
    environment: Mapping[str, str]
    home: Path

    @classmethod
    def this(cls) -> Machine:
        """Describe the machine that this program runs on."""
        here = platform.machine().lower()
        return cls(sys.platform, architectures.get(here, here), dict(os.environ), Path.home())

    @property
    def data(self) -> Path:
        """Harmonize's folder, where the plug-ins look first for engine.json."""
        if self.platform == "win32":
            return self._local / "harmonize"
        usual = "Library/Application Support" if self.platform == "darwin" else ".local/share"
        return Path(self.environment.get("XDG_DATA_HOME") or self.home / usual) / "harmonize"

    @property
    def cache(self) -> Path:
        """Where the engine keeps what it can make again."""
        if self.platform == "win32":
            return self._local / "harmonize" / "Cache"
        usual = "Library/Caches" if self.platform == "darwin" else ".cache"
        return Path(self.environment.get("XDG_CACHE_HOME") or self.home / usual) / "harmonize"

    @property
    def logs(self) -> Path:
        """The folder of the engine's logs."""
        if self.platform == "win32":
            return self._local / "harmonize" / "Logs"
        usual = "Library/Logs" if self.platform == "darwin" else ".local/state"
        chosen = self.environment.get("XDG_STATE_HOME") if self.platform != "darwin" else None
        return Path(chosen or self.home / usual) / "harmonize"

    @property
    def runtime_folders(self) -> list[Path]:
        """Where a server may have left its state, the likeliest first."""
        if chosen := self.environment.get("HARMONIZE_RUNTIME_DIR"):
            return [Path(chosen)]
        if self.platform == "win32":
            return [self._local / "Temp" / "harmonize"]
        user = os.geteuid() if hasattr(os, "geteuid") else 0
        roots = [Path(self.environment["XDG_RUNTIME_DIR"])] if self.environment.get("XDG_RUNTIME_DIR") else []
        roots.append(
            self.home / "Library/Caches/TemporaryItems" if self.platform == "darwin" else Path(f"/run/user/{user}")
        )
        return [root / "harmonize" for root in (*roots, Path(tempfile.gettempdir(), f"runtime-{user}"))]

    def python(self, environment: Path) -> Path:
        """Name the Python of a virtual environment."""
        return environment / "Scripts" / "python.exe" if self.platform == "win32" else environment / "bin" / "python"

    @property
    def _local(self) -> Path:
        return Path(self.environment.get("LOCALAPPDATA") or self.home / "AppData/Local")


def clean_environment(machine: Machine) -> dict[str, str]:
    """Leave out what would lead a program that is started to the libraries of an editor, a Snap or an AppImage.

    What says how to reach a package index stays: PIP_*, UV_*, proxies, certificates.
    """
    mounts = tuple(mount for name in ("APPDIR", "SNAP") if (mount := machine.environment.get(name)))

    def is_mounted(path: str) -> bool:
        return any(path == mount or path.startswith(mount.rstrip("/") + "/") for mount in mounts)

    clean: dict[str, str] = {}
    for name, value in machine.environment.items():
        if name.upper().startswith(foreign) or name.upper() in foreign_names:
            continue
        if name.upper() == "PATH" and mounts:
            clean[name] = os.pathsep.join(folder for folder in value.split(os.pathsep) if not is_mounted(folder))
        elif name == "SNAP" or not is_mounted(value):  # a server looks at SNAP to know where it is
            clean[name] = value
    return clean
