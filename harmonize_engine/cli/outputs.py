"""Writing all files of a run, or none."""

import errno
import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harmonize_engine.errors import HarmonizeError


@dataclass(frozen=True)
class Output:
    """A file to be, and what writes it; the writer is given the path to write to."""

    path: Path
    write: Callable[[Path], None]


def check(paths: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Refuse places that cannot be written to, before any work is done.

    Raises HarmonizeError `folder_missing`, `output_is_folder`, `output_twice`, `would_overwrite_input`.
    """
    sources = {_identity(path) for path in inputs}
    seen: set[Path] = set()
    for path in paths:
        if not path.parent.is_dir():
            raise HarmonizeError(
                "folder_missing", f"The folder {path.parent} does not exist.", "Make it, or choose another."
            )
        if path.is_dir():
            raise HarmonizeError("output_is_folder", f"{path} is a folder.", "Name a file in it.")
        place = path.resolve()
        if place in seen:
            raise HarmonizeError("output_twice", f"{path} is named twice as an output.", "Name each file once.")
        if _identity(path) in sources:
            raise HarmonizeError(
                "would_overwrite_input", f"{path} is an input and would be overwritten.", "Choose another name."
            )
        seen.add(place)


def _identity(path: Path) -> tuple[int, int] | Path:
    """What two names of one file have in common."""
    try:
        found = path.stat()
    except OSError:
        return path.resolve()
    return found.st_dev, found.st_ino


def write_all(outputs: Sequence[Output]) -> None:
    """Write every output beside its place, and put them in their places when all are there; on failure none is.

    Raises HarmonizeError `folder_read_only`, `disk_full`, `not_written`, and what the writers raise.
    """
    with ExitStack() as stack:
        folders: dict[Path, Path] = {}
        for output in outputs:
            parent = output.path.parent
            if parent not in folders:
                folders[parent] = stack.enter_context(_staging(parent))
            output.write(folders[parent] / output.path.name)
        _put_in_place([(folders[output.path.parent] / output.path.name, output.path) for output in outputs])


def _put_in_place(moves: list[tuple[Path, Path]]) -> None:
    placed: list[Path] = []
    for staged, path in moves:
        try:
            staged.replace(path)
        except OSError as error:
            for other in placed:
                other.unlink(missing_ok=True)
            raise reason(path, error) from error
        placed.append(path)


@contextmanager
def _staging(parent: Path) -> Generator[Path]:
    """A hidden folder in `parent`, gone afterwards."""
    try:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=".harmonize-"))
    except OSError as error:
        raise reason(parent / "output", error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def reason(path: Path, error: OSError) -> HarmonizeError:
    """Say why nothing can be written at `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HarmonizeError("disk_full", "The disk is full; nothing was written.", "Free some space and try again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return HarmonizeError(
            "folder_read_only", f"The folder {path.parent} cannot be written to.", "Choose another folder for the output."
        )
    return HarmonizeError(
        "not_written", f"Nothing could be written to {path.parent}: {error.strerror}.", "Try another place."
    )
