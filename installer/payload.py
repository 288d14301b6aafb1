"""What the installer carries: the engine's wheel, locks of what it needs, a pip to install them, and the plug-ins."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
import weakref
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from installer.failure import InstallError, explaining
from installer.machine import Machine

prefix = "harmonize-payload-"  # of the temporary folders


@dataclass(frozen=True)
class Payload:
    """A folder with `harmonize-*.whl`, `pip-*.whl`, `locks/`, `krita/` and `gimp/`.

    archive: the harmonize-install.pyz that it is from, kept on the machine for repair and removal.
    """

    folder: Path
    archive: Path

    @classmethod
    def mine(cls) -> Payload:
        """Find what this installer carries, in its .pyz or, in a clone, in dist/. Raises InstallError."""
        here = Path(__file__).resolve()
        archive = next((parent for parent in here.parents if parent.is_file()), None)
        if archive is not None:
            return cls.of(archive)
        built = here.parent.parent / "dist"
        if not (built / "payload").is_dir():
            message = "This copy of the installer carries no engine."
            raise InstallError("payload_missing", message, "Use harmonize-install.pyz; in a clone: python3 tasks.py build")
        return cls(built / "payload", built / "harmonize-install.pyz")

    @classmethod
    def of(cls, archive: Path) -> Payload:
        """Unpack what a harmonize-install.pyz carries, for as long as this is in use. Raises InstallError."""
        with explaining(Path(tempfile.gettempdir())):
            _sweep()
            unpacked = Path(tempfile.mkdtemp(prefix=prefix))
            payload = cls(unpacked / "payload", archive)
            weakref.finalize(payload, shutil.rmtree, unpacked, ignore_errors=True)
            try:
                with zipfile.ZipFile(archive) as members:
                    members.extractall(unpacked, [name for name in members.namelist() if name.startswith("payload/")])
            except zipfile.BadZipFile as error:
                raise InstallError("payload_damaged", f"{archive} is damaged.", "Download it again.") from error
        return payload

    @property
    def version(self) -> str:
        """The version of the engine and the plug-ins."""
        return self.wheel().name.split("-")[1]

    def wheel(self) -> Path:
        """Name the engine's wheel."""
        return self._one("harmonize-*.whl")

    def pip(self) -> Path:
        """Name pip's wheel, which runs as it is: `python pip-*.whl/pip install ...`."""
        return self._one("pip-*.whl")

    def lock(self, machine: Machine, gpu: bool) -> Path:
        """Name the requirements, each with its hashes, for a machine."""
        accelerated = "directml" if machine.platform == "win32" else "gpu"
        return self._one(f"locks/{accelerated if gpu and machine.platform != 'darwin' else 'cpu'}.txt")

    def plugin(self, editor: Literal["krita", "gimp"]) -> dict[str, bytes]:
        """Read a plug-in's files, by their paths (with `/`) below the folder where the editor looks for plug-ins."""
        folder = self.folder / editor
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if not files:
            raise InstallError("payload_damaged", f"The installer lacks the plug-in for {editor}.", "Download it again.")
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    def _one(self, pattern: str) -> Path:
        found = next(iter(sorted(self.folder.glob(pattern))), None)
        if found is None:
            raise InstallError("payload_damaged", f"The installer lacks {pattern}.", "Download it again.")
        return found


def _sweep() -> None:
    """Remove what installers that were killed have left, a day ago or earlier."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.lstat().st_mtime > 86400:
                shutil.rmtree(folder, ignore_errors=True)
