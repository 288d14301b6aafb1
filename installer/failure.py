"""What can go wrong on a user's machine, each in one sentence and with what to do."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

locked = (5, 32, 33)  # Windows: access denied, sharing violation, lock violation
pauses = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # seconds between attempts; virus scanners let go within a few


class InstallError(Exception):
    """A stable code, what is wrong, and what to do."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.code, self.message, self.hint = code, message, hint


def explained(error: OSError, path: Path) -> InstallError:
    """Say in a sentence what the system has against reading or writing a path."""
    path = Path(error.filename) if isinstance(error.filename, str) else path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InstallError(
            "disk_full", f"The disk is full: {path} could not be written.", "Free some space, then try again."
        )
    if getattr(error, "winerror", None) in locked:
        message = f"Another program holds {path} open, or you may not change it."
        return InstallError("file_locked", message, "Close Krita and GIMP, pause the virus scanner, then try again.")
    if error.errno == errno.EROFS:
        return InstallError("read_only", f"{path} is on a read-only disk.", "Set HOME to a folder that you may write to.")
    if isinstance(error, PermissionError):
        hint = "Give yourself the right to write there; do not run this as administrator."
        return InstallError("not_allowed", f"You may not write {path}.", hint)
    if error.errno == errno.ENAMETOOLONG or getattr(error, "winerror", None) == 206:
        return InstallError("path_too_long", f"The path {path} is too long for this system.", "Use a shorter home folder.")
    return InstallError("system", f"{path}: {error.strerror or error}.", "Mend that, then try again.")


@contextlib.contextmanager
def explaining(path: Path) -> Generator[None, None, None]:
    """Turn the OSErrors of the block into an InstallError; path: what they are about where they do not say."""
    try:
        yield
    except OSError as error:
        raise explained(error, path) from error


def patiently(action: Callable[[], Result]) -> Result:
    """Do it again for a while, if another program, as a virus scanner, holds a file; else as the action raises."""
    for pause in pauses:
        try:
            return action()
        except OSError as error:
            if getattr(error, "winerror", None) not in locked:
                raise
            time.sleep(pause)
    return action()
