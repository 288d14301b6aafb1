"""One installer at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from typing import BinaryIO

from installer.changes import Changes
from installer.failure import InstallError, explaining
from installer.machine import Machine
from installer.writing import unfinished

name = "install.lock"


@contextlib.contextmanager
def only_one(machine: Machine) -> Generator[None, None, None]:
    """Keep other installers of this user away while the block runs. Makes DATA; where the block leaves it empty, it goes.

    Raises InstallError `busy`, and what explains why DATA cannot be written.
    """
    folder = machine.data
    Changes(machine).make_data()
    with explaining(folder):
        file = open(folder / name, "ab")  # noqa: SIM115
    if not _locked(file):
        file.close()
        raise InstallError("busy", "Another Harmonize installer is at work.", "Wait until it is done, then try again.")
    try:
        with explaining(folder):
            yield
    finally:
        file.close()
        _tidy(machine)


def _tidy(machine: Machine) -> None:
    """Remove DATA where nothing is in it but the lock and a record of nothing."""
    changes, file = Changes(machine), machine.data / name
    with contextlib.suppress(OSError):
        if not changes.placed() and {file, changes.path, unfinished(changes.path)} >= set(machine.data.iterdir()):
            file.unlink()
            changes.forget()


def _locked(file: BinaryIO) -> bool:
    """Lock a file until it is closed, which the end of this program does, too."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
