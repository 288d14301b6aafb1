"""Every entrant on every scene, several scenes at a time; what the table of outcomes holds is not done again."""

import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from PIL import Image

from harmonize_engine import engine
from harmonize_engine.composite import Pixels
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation import entrants, families, onnx_file, pasted
from harmonize_engine.evaluation.entrants import Entrant
from harmonize_engine.evaluation.judge import Judge
from harmonize_engine.evaluation.outcome import Outcome
from harmonize_engine.evaluation.scene import Entry, Scene

version = 1  # of how outcomes are measured
judged_groups = (pasted.group, families.untouched)  # real composites, and the photographs themselves for comparison


@dataclass(frozen=True)
class Plan:
    """What takes part. lpips: an ONNX file; results: a folder that keeps every result as PNG; judge: a model's name."""

    names: tuple[str, ...]
    folders: tuple[Path, ...] = ()
    lpips: Path | None = None
    results: Path | None = None
    size: tuple[int, int] | None = None
    judge: str | None = None

    def settings(self) -> str:
        """Fingerprint of everything but entrants and pictures that shapes an outcome."""
        lpips = "" if self.lpips is None else hashlib.sha256(self.lpips.read_bytes()).hexdigest()
        return hashlib.sha256(json.dumps([version, families.version, self.size, lpips]).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Judged:
    """What came of one entry. refused: why it could not take part at all."""

    entry: Entry
    outcomes: tuple[Outcome, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    sha256: str = ""
    refused: str | None = None


class Arena:
    """The entrants, loaded once in each process."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.entrants = entrants.load(plan.names, plan.folders)
        self.lpips = None if plan.lpips is None else onnx_file.Lpips(onnx_file.opened(plan.lpips))
        self.critic = None if plan.judge is None else engine.load(plan.judge, plan.folders)
        self.settings = plan.settings()

    def fingerprint(self, entrant: Entrant, group: str) -> str:
        """Of the entrant and of how it is judged."""
        critic = f"-{self.critic.card.sha256[:8]}" if self.critic is not None and group in judged_groups else ""
        return f"{self.settings}-{entrant.fingerprint[:16]}{critic}"

    def judge(self, entry: Entry, names: Sequence[str]) -> Judged:
        """Run some of the entrants on a scene; unusable ones are refused. Raises HarmonizeError where an entrant fails."""
        try:
            scene = entry.scene()
            _ = scene.seen  # what no model could look at, nobody is judged by
        except HarmonizeError as error:
            return Judged(entry, refused=f"[{error.code}] {error.message}")
        sha256 = scene.sha256
        judge = Judge(scene, sha256, self.lpips, self.critic if entry.group in judged_groups else None)
        found: list[Outcome] = []
        for entrant in self.entrants:
            if entrant.name in names:
                start = perf_counter()
                answer = entrant.answer(scene)
                seconds = perf_counter() - start
                found.append(judge.outcome(entrant.name, self.fingerprint(entrant, entry.group), answer, seconds))
                if self.plan.results is not None:
                    _keep(self.plan.results, entrant.name, scene, answer.pixels)
        return Judged(entry, tuple(found), entry.sources(), sha256)


def file_name(entrant: str) -> str:
    """An entrant's name as a folder can be called."""
    kind, _, where = entrant.partition("=")
    return (Path(where).stem if where else kind).replace(":", "-")


def _keep(folder: Path, entrant: str, scene: Scene, pixels: Pixels) -> None:
    path = folder / file_name(entrant) / scene.group / f"{scene.name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


Job = tuple[Entry, tuple[str, ...]]


def jobs(arena: Arena, entries: Sequence[Entry], done: Mapping[tuple[str, str, str], Outcome]) -> list[Job]:
    """What is left to do: the entries, each with the entrants that have no up-to-date outcome."""
    found: list[Job] = []
    for entry in entries:
        lacking = tuple(
            entrant.name
            for entrant in arena.entrants
            if not (entrant.needs_truth and entry.group == pasted.group)
            if (old := done.get((entry.group, entry.name, entrant.name))) is None
            or old.fingerprint != arena.fingerprint(entrant, entry.group)
        )
        if lacking:
            found.append((entry, lacking))
    return found


def run(arena: Arena, work: Sequence[Job], workers: int) -> Iterator[Judged]:
    """Do all jobs, `workers` at a time, and yield each when it is done. Raises what an entrant raises."""
    if workers == 1:
        for entry, names in work:
            yield arena.judge(entry, names)
        return
    waiting = iter(work)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads of several processes on the same cores wait for each other
    context = multiprocessing.get_context("spawn")  # a forked ONNX Runtime hangs
    with ProcessPoolExecutor(workers, context, _begin, (arena.plan,)) as pool:
        running: set[Future[Judged | tuple[str, str, str]]] = set()
        while True:
            while len(running) < 2 * workers and (job := next(waiting, None)) is not None:
                running.add(pool.submit(_judge, job))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                judged = future.result()
                if not isinstance(judged, Judged):
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise HarmonizeError(*judged)
                yield judged


_arena: Arena | None = None


def _begin(plan: Plan) -> None:
    global _arena
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _arena = Arena(plan)


def _judge(job: Job) -> Judged | tuple[str, str, str]:
    assert _arena is not None
    try:
        return _arena.judge(*job)
    except HarmonizeError as error:  # does not travel between processes by itself
        return error.code, error.message, error.hint
