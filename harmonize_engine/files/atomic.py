"""Writing a file so that it is there whole or not at all."""

import errno
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from harmonize_engine.errors import HarmonizeError


@contextmanager
def atomic(path: Path) -> Generator[IO[bytes]]:
    """Open a new file beside `path` for writing and put it in its place when all went well.

    On any failure the new file is removed and an older one at `path` stays as it was; a link stays a link. Raises
    HarmonizeError `folder_missing`, `folder_read_only`, `disk_full` or `not_written`.
    """
    try:
        target = Path(os.path.realpath(path))
        if not target.parent.is_dir():
            raise HarmonizeError(
                "folder_missing", f"The folder {path.parent} does not exist.", "Make it, or choose another."
            )
        partial = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}.partial")
        try:
            with partial.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise _reason(path, error) from error


def _reason(path: Path, error: OSError) -> HarmonizeError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HarmonizeError(
            "disk_full", f"The disk is full; {path.name} was not written.", "Free some space and try again."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return HarmonizeError(
            "folder_read_only",
            f"The folder {path.parent} cannot be written to.",
            "Choose another folder for the output.",
        )
    reason = error.strerror or error
    return HarmonizeError("not_written", f"{path.name} could not be written: {reason}.", "Try another place.")
