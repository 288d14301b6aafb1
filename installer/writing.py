"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from installer.failure import explaining, patiently


def unfinished(path: Path) -> Path:
    """Name the file, beside it, in which a new content waits to take its place; a killed run may leave it."""
    return path.with_name(path.name + ".harmonize~")


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put a content in a file's place, all at once. The folder must be there. Raises InstallError."""
    waiting = unfinished(path)
    with explaining(path):
        try:
            with open(waiting, "wb") as file:
                os.chmod(waiting, mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            patiently(lambda: os.replace(waiting, path))
        except BaseException:
            waiting.unlink(missing_ok=True)
            raise


def read(path: Path) -> bytes | None:
    """Read a file; None where there is none. Raises InstallError."""
    with explaining(path):
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it, if it is there. Raises OSError."""

    def insist(action: Callable[[str], object], path: str, error: BaseException) -> None:
        """Remove what is write-protected, or held by another program for a moment."""
        if isinstance(error, FileNotFoundError):
            return
        with contextlib.suppress(OSError):
            os.chmod(path, 0o700)
            os.chmod(os.path.dirname(path), 0o700)
        patiently(lambda: action(path))

    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder, onerror=lambda action, path, error: insist(action, path, error[1]))
