"""`harmonize apply FOLDER`: every picture of a folder that has a mask."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from harmonize_engine import __version__, batch
from harmonize_engine.cli import outputs
from harmonize_engine.cli.account import row
from harmonize_engine.cli.inputs import Sources
from harmonize_engine.cli.outcome import Outcome
from harmonize_engine.cli.settings import Settings
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files import kinds

if TYPE_CHECKING:
    from model_server.backends import Backend


@dataclass(frozen=True)
class Job:
    """One picture of the folder. refused: why it cannot even be tried."""

    name: str
    sources: Sources
    results: tuple[Path, ...]
    refused: HarmonizeError | None = None


@dataclass(frozen=True)
class Work:
    """What is done to every picture. again: also to those that are up to date."""

    settings: Settings
    backend: "Backend"
    fingerprint: str
    journal: batch.Journal
    again: bool

    def do(self, job: Job) -> tuple[Outcome, str] | None:
        """Harmonize a picture and write its results; tell what became of it and of what it was made, None if up to date."""
        if job.refused is not None:
            raise job.refused
        origin = batch.origin(job.sources.paths, self.fingerprint)
        if not self.again and self.journal.up_to_date(job.name, origin, job.results):
            return None
        outcome = Outcome.of(job.sources.read(self.settings), self.settings, self.backend)
        outputs.write_all(outcome.outputs(job.results))
        return outcome, origin


@dataclass
class Tally:
    """What became of the pictures."""

    harmonized: int = 0
    left: int = 0
    fitting: int = 0  # of those that were left
    skipped: int = 0
    failed: list[tuple[str, HarmonizeError]] = field(default_factory=list[tuple[str, HarmonizeError]])
    unmasked: list[str] = field(default_factory=list[str])


def run(arguments: argparse.Namespace) -> None:
    """Do it. Raises HarmonizeError `some_failed` after all others were done."""
    from model_server import backends

    settings = Settings.of(arguments)
    formats = [f".{name.lower().lstrip('.')}" for name in arguments.format or ["png"]]
    for suffix in formats:
        kinds.writer(Path(f"result{suffix}"))
    if arguments.mask is None or not arguments.mask.is_dir() or len(arguments.output) != 1:
        raise HarmonizeError(
            "usage",
            "A folder needs a folder of masks and one for the results.",
            "Like: harmonize apply FOLDER --mask FOLDER -o FOLDER",
        )
    if arguments.workers is not None and arguments.workers < 1:
        raise HarmonizeError("usage", f"There must be at least one worker, not {arguments.workers}.")
    target: Path = arguments.output[0]
    tally = Tally()
    jobs = _jobs(arguments, target, formats, tally)
    outputs.check([path for job in jobs for path in job.results if job.refused is None and target.is_dir()], _inputs(jobs))
    backend = backends.choose(arguments.server)
    fingerprint = _fingerprint(settings, formats, backend)
    _make(target)
    work = Work(settings, backend, fingerprint, batch.Journal.read(target), arguments.again)
    _harmonize_all(jobs, work, arguments, tally)
    stream = sys.stderr if arguments.json else sys.stdout
    row("engine", backend.description, stream)
    _tell(tally, stream)
    if tally.failed:
        total = len(jobs)
        plural = "s" if total > 1 else ""
        raise HarmonizeError(
            "some_failed",
            f"{len(tally.failed)} of {total} picture{plural} failed.",
            "The list says why; run again to resume.",
        )


def _jobs(arguments: argparse.Namespace, target: Path, formats: Sequence[str], tally: Tally) -> list[Job]:
    masks = batch.pictures_in(arguments.mask)
    companions = {name: _Companion.of(getattr(arguments, name)) for name in ("background", "reference")}
    jobs: list[Job] = []
    for stem, composites in batch.pictures_in(arguments.composite).items():
        if stem not in masks:
            tally.unmasked += [path.name for path in composites]
            continue
        results = tuple(target / f"{stem}{suffix}" for suffix in formats)
        sources, refused = Sources(composites[0], masks[stem][0]), None
        try:
            others = {name: companion.of_stem(stem) for name, companion in companions.items()}
            sources = Sources(batch.only(composites), batch.only(masks[stem]), **others)
        except HarmonizeError as error:
            refused = error
        jobs.append(Job(composites[0].name, sources, results, refused))
    if not jobs:
        found = f"{len(tally.unmasked)} pictures, none with a mask of its name" if tally.unmasked else "no pictures"
        raise HarmonizeError(
            "nothing_to_do",
            f"There are {found} in {arguments.composite}.",
            "A mask has its picture's name, with any suffix.",
        )
    return jobs


@dataclass(frozen=True)
class _Companion:
    """A background or reference mask: one file for all pictures, or one per stem in a folder, or none."""

    path: Path | None
    by_stem: dict[str, list[Path]] | None

    @classmethod
    def of(cls, path: Path | None) -> "_Companion":
        return cls(path, batch.pictures_in(path) if path is not None and path.is_dir() else None)

    def of_stem(self, stem: str) -> Path | None:
        if self.by_stem is None:
            return self.path
        if stem not in self.by_stem:
            raise HarmonizeError("file_missing", f"There is no {stem} in {self.path}.", "Add it, or leave the option out.")
        return batch.only(self.by_stem[stem])


def _inputs(jobs: Sequence[Job]) -> list[Path]:
    return list(dict.fromkeys(path for job in jobs for path in job.sources.paths))


def _fingerprint(settings: Settings, formats: Sequence[str], backend: "Backend") -> str:
    """Everything but the pictures that shapes the results."""
    return json.dumps([__version__, backend.weights_sha256(settings.model), asdict(settings), sorted(formats)])


def _make(target: Path) -> None:
    """Make the folder of the results; the one it lies in has to be there."""
    if not target.parent.is_dir():
        raise HarmonizeError("folder_missing", f"The folder {target.parent} does not exist.", "Make it, or choose another.")
    if target.exists() and not target.is_dir():
        raise HarmonizeError("output_is_file", f"{target} is a file.", "Results of a folder go into a folder.")
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        raise outputs.reason(target, error) from error


def _harmonize_all(jobs: Sequence[Job], work: Work, arguments: argparse.Namespace, tally: Tally) -> None:
    from tqdm import tqdm

    done = batch.run(jobs, work.do, arguments.workers or default_workers())
    for job, found in tqdm(done, total=len(jobs), unit="picture", disable=None, leave=False):
        match found:
            case None:
                tally.skipped += 1
            case HarmonizeError():
                tally.failed.append((job.name, found))
            case (outcome, origin):
                work.journal.add(job.name, origin)
                tally.left += outcome.left
                tally.fitting += outcome.left and outcome.harmonization.fits
                tally.harmonized += not outcome.left
                if arguments.json:
                    parameters = json.loads(outcome.parameters)
                    tqdm.write(json.dumps({"picture": job.name, "left": outcome.left, "parameters": parameters}))


def default_workers() -> int:
    """How many pictures at a time: one per core; beyond eight, memory costs more than time is won."""
    return min(8, os.cpu_count() or 1)


def _tell(tally: Tally, stream: TextIO) -> None:
    for name, error in sorted(tally.failed, key=lambda failure: failure[0]):
        row("failed", f"{name}: [{error.code}] {error.message}", stream)
    for name in tally.unmasked:
        row("no mask", name, stream)
    counts = (
        (tally.harmonized, "harmonized"),
        (tally.fitting, "left as they are because they fit"),
        (tally.left - tally.fitting, "left as they are because harmonizing would probably not help (--always does it)"),
        (tally.skipped, "already done (--again makes them again)"),
        (len(tally.failed), "failed"),
        (len(tally.unmasked), "without a mask"),
    )
    row("in all", ", ".join(f"{count} {what}" for count, what in counts if count), stream)
