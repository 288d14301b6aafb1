"""Many pictures: matched by name, several at a time, and resumed where a run was stopped."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from harmonize_engine.errors import HarmonizeError

Job = TypeVar("Job")
Result = TypeVar("Result")
journal_name = ".harmonize-journal"
suffixes = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


def pictures_in(folder: Path) -> dict[str, list[Path]]:
    """The picture files of a folder by stem, in order of their names; hidden files are left out.

    Raises HarmonizeError `folder_missing` or `file_unreadable`.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.name[0] != ".")
    except FileNotFoundError as error:
        raise HarmonizeError("folder_missing", f"There is no folder {folder}.", "Check its name.") from error
    except OSError as error:
        raise HarmonizeError(
            "file_unreadable", f"The folder {folder} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(path.stem, []).append(path)
    return found


def only(paths: Sequence[Path]) -> Path:
    """The only file of a stem. Raises HarmonizeError `stem_twice`."""
    if len(paths) > 1:
        names = " and ".join(path.name for path in paths)
        raise HarmonizeError("stem_twice", f"{names} have the same stem.", "Keep one of them in the folder.")
    return paths[0]


@dataclass
class Journal:
    """What was made in a folder, and of what: one line per result, added when it is there.

    A result is up to date while its files exist and its sources and settings are those it was made of.
    """

    path: Path
    made: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def read(cls, folder: Path) -> "Journal":
        """Read a folder's journal; lines that a stopped run left unfinished count for nothing."""
        journal = cls(folder / journal_name)
        try:
            lines = journal.path.read_text("utf-8", "replace").splitlines()
        except OSError:
            return journal
        for line in lines:
            try:
                stem, origin = cast(list[str], json.loads(line))
            except (ValueError, TypeError):
                continue
            journal.made[stem] = origin
        return journal

    def up_to_date(self, stem: str, origin: str, results: Sequence[Path]) -> bool:
        """Whether the results of a stem exist and were made of just this."""
        return self.made.get(stem) == origin and all(path.is_file() for path in results)

    def add(self, stem: str, origin: str) -> None:
        """Note that a stem's results are made."""
        self.made[stem] = origin
        with suppress(OSError), self.path.open("a", encoding="utf-8") as file:  # without it they are made again, no more
            file.write(json.dumps([stem, origin]) + "\n")


def origin(sources: Sequence[Path], settings: str) -> str:
    """A fingerprint of source files, by size and time of change, and of settings. Raises HarmonizeError `file_missing`."""
    digest = hashlib.sha256(settings.encode())
    for path in sources:
        try:
            found = path.stat()
        except OSError as error:
            raise HarmonizeError("file_missing", f"There is no file {path}.", "Check its name and folder.") from error
        digest.update(f"|{path.name}|{found.st_size}|{found.st_mtime_ns}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def run(jobs: Sequence[Job], work: Callable[[Job], Result], workers: int) -> Iterator[tuple[Job, Result | HarmonizeError]]:
    """Do all jobs, `workers` at a time, and yield each with its result, or its error, when it is done.

    Threads: decoding, the network, rendering and compression all run outside Python's lock, and the weights are loaded
    once. When the caller stops (Ctrl-C), jobs that have begun are finished and no others are begun.
    """
    waiting = iter(jobs)
    with ThreadPoolExecutor(workers) as pool:
        running: dict[Future[Result], Job] = {}
        while True:
            while len(running) < workers and (job := next(waiting, None)) is not None:
                running[pool.submit(work, job)] = job
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                job = running.pop(future)
                try:
                    result = future.result()
                except HarmonizeError as error:
                    yield job, error
                except MemoryError:
                    yield job, HarmonizeError("out_of_memory", "The memory does not suffice for this picture.")
                else:
                    yield job, result
