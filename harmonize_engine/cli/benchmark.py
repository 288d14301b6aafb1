"""`harmonize benchmark`: every model, baseline and oracle on the same composites, as tables and a page to look at."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harmonize_engine.cli.account import row
from harmonize_engine.errors import HarmonizeError

if TYPE_CHECKING:
    from harmonize_engine.evaluation.benchmark import Arena, Plan
    from harmonize_engine.evaluation.manifest import Manifest
    from harmonize_engine.evaluation.outcome import Outcome
    from harmonize_engine.evaluation.results import Results
    from harmonize_engine.evaluation.scene import Entry

summary = "judge models on photographs with masks or on a dataset, and write tables and a page"
layouts = ("auto", "photographs", "dataset")


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="PHOTOGRAPHS|DATASET",
        help="a folder with images/ and masks/ (or zips of them), or iHarmony4, RealHM, ccHarmony, RdHarmony, or any "
        "folder with composites, masks and truths",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="resumed where it was stopped")
    parser.add_argument("--entrants", nargs="+", metavar="NAME", help="who takes part; see docs/benchmark.md")
    parser.add_argument(
        "--protocol", nargs="+", default=[], metavar="NAME", help="of photographs: families, magnitudes, or both (all)"
    )
    parser.add_argument(
        "--photographs",
        type=_count,
        metavar="N",
        help="for each protocol (200; 0 = all), a fifth at 1080p; of a dataset: all",
    )
    parser.add_argument(
        "--split",
        default="test",
        choices=("train", "val", "calibration", "test"),
        help="of photographs: test (the half of the validation photographs that no gate was calibrated on)",
    )
    parser.add_argument("--layout", choices=layouts, default="auto", help="what the folder holds (auto)")
    parser.add_argument(
        "--size", type=_size, default="auto", metavar="N|full", help="of a dataset: resized to N x N first (256), or full"
    )
    parser.add_argument("--models-folder", action="append", type=Path, default=[], metavar="FOLDER", help="more models")
    parser.add_argument("--lpips", type=Path, metavar="FILE", help="an ONNX file of LPIPS, to measure that too")
    parser.add_argument(
        "--judge", metavar="MODEL", help="scores real composites: a model that does not take part and was trained apart"
    )
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="of another run: refuse other sources")
    parser.add_argument("--keep-results", action="store_true", help="keep all results as PNG, for: harmonize study")
    parser.add_argument("--sheet", metavar="ENTRANT", help="whose results the page shows (the first model)")
    parser.add_argument("--sheets", type=_count, default=24, metavar="N", help="how many of the worst, median, best (24)")
    parser.add_argument("--workers", type=_count, default=2, metavar="N", help="scenes at a time (2)")
    parser.add_argument("--again", action="store_true", help="do everything again")


def run(arguments: argparse.Namespace) -> None:
    """Do it. Raises HarmonizeError."""
    from harmonize_engine.evaluation import benchmark, entrants
    from harmonize_engine.evaluation.manifest import Manifest
    from harmonize_engine.evaluation.results import Results

    entries = _entries(arguments)
    folder: Path = arguments.output
    plan = benchmark.Plan(
        names=tuple(dict.fromkeys(arguments.entrants or entrants.usual())),
        folders=tuple(arguments.models_folder),
        lpips=arguments.lpips,
        results=folder / "results" if arguments.keep_results else None,
        size=_pixels(arguments),
        judge=arguments.judge,
    )
    focus = arguments.sheet or _focus(plan.names)
    if focus not in plan.names:
        raise HarmonizeError("entrant_unknown", f"{focus} does not take part.", f"Name one of: {', '.join(plan.names)}.")
    arena = benchmark.Arena(plan)
    known = None if arguments.manifest is None else Manifest.read(arguments.manifest)
    if known is not None:
        known.check(entries)
    results = Results.opened(folder, arguments.again)
    refused = _judge(arena, entries, results, arguments.workers)
    kept = _Kept(arguments, entries, results, refused)
    if known is not None:
        differing = known.difference(kept.manifest())
        row("manifest", f"{differing} composites differ by rounding" if differing else "the very same composites")
    _report(kept, plan, focus)


def _entries(arguments: argparse.Namespace) -> "Sequence[Entry]":
    from harmonize_engine.evaluation import datasets, protocols

    source: Path = arguments.source.absolute()
    if not _is_dataset(arguments):
        if arguments.size != "auto":
            raise HarmonizeError("usage", "--size goes with a dataset, not with photographs.", "Leave it out.")
        asked = protocols.chosen(arguments.protocol)
        return protocols.entries(source, asked, arguments.photographs, arguments.split)
    if arguments.protocol:
        raise HarmonizeError("usage", "--protocol goes with photographs, not with a dataset.", "Leave it out.")
    found = datasets.entries(source, _pixels(arguments))
    return found[: arguments.photographs] if arguments.photographs else found


def _is_dataset(arguments: argparse.Namespace) -> bool:
    from harmonize_engine.evaluation import datasets

    return arguments.layout == "dataset" or (datasets.fits(arguments.source) and arguments.layout == "auto")


def _pixels(arguments: argparse.Namespace) -> tuple[int, int] | None:
    """The size (width, height) that everything is resized to, None = as it is."""
    if arguments.size == "auto":
        return (256, 256) if _is_dataset(arguments) else None
    return None if arguments.size == 0 else (arguments.size, arguments.size)


def _focus(names: Sequence[str]) -> str:
    """Whose results are worth looking at: the first model's, else the last one's."""
    from harmonize_engine import engine

    models = {model.name for model in engine.models()} - {"statistics"}
    return next((name for name in names if name in models or "=" in name), names[-1])


def _judge(arena: "Arena", entries: "Sequence[Entry]", results: "Results", workers: int) -> list[str]:
    """Do what is not done yet; tells which scenes no one could be judged by."""
    from tqdm import tqdm

    from harmonize_engine.evaluation import benchmark

    work = benchmark.jobs(arena, entries, results.outcomes)
    refused: list[str] = []
    done = benchmark.run(arena, work, min(workers, max(1, len(work))) or 1)
    for judged in tqdm(done, total=len(work), unit="scene", disable=None, leave=False):
        results.add(judged)
        if judged.refused is not None:
            refused.append(f"{judged.entry.group}/{judged.entry.name}: {judged.refused}")
    return refused


@dataclass(frozen=True, eq=False)
class _Kept:
    """What there is to report."""

    arguments: argparse.Namespace
    entries: "Sequence[Entry]"
    results: "Results"
    refused: Sequence[str]

    def outcomes(self, names: Sequence[str]) -> "list[Outcome]":
        """The outcomes of this run's entries and entrants, in their order."""
        return self.results.of((e.group, e.name, name) for e in self.entries for name in names)

    def manifest(self) -> "Manifest":
        """Of this run's entries, those judged in an earlier run included."""
        self.results.complete(self.entries)
        return self.results.manifest.only((e.group, e.name) for e in self.entries)


def _report(kept: _Kept, plan: "Plan", focus: str) -> None:
    from harmonize_engine.evaluation import ablation, tables
    from harmonize_engine.evaluation.page import Page
    from harmonize_engine.evaluation.results import page_name

    results, arguments = kept.results, kept.arguments
    outcomes = kept.outcomes(plan.names)
    if not outcomes:
        raise HarmonizeError("nothing_to_do", "No scene could be judged.", kept.refused[0] if kept.refused else "")
    title, told, notes = f"Benchmark: {arguments.source.resolve().name}", _told(kept, plan), _notes(kept, plan)
    overview = tables.overview(outcomes, focus, ablation.recipes(plan.names, plan.folders))
    found, details = results.write(title, told, outcomes, overview, notes), tables.details(outcomes)
    shown = _sheets(kept, plan, focus, outcomes)
    Page(title, told, _facts(kept, plan), overview, details, found, shown, focus, notes).write(results.folder / page_name)
    for table in overview or details:
        print(table.markdown())
    for note in notes:
        print(note)
    row("wrote", f"{results.folder / page_name}, table.md, outcomes.csv, manifest.json")


def _sheets(kept: _Kept, plan: "Plan", focus: str, outcomes: "Sequence[Outcome]"):
    from harmonize_engine.evaluation import entrants, sheet

    (entrant,) = entrants.load([focus], plan.folders)
    by_key = {(entry.group, entry.name): entry for entry in kept.entries}
    chosen = sheet.sheets(outcomes, focus, kept.arguments.sheets)
    return [(each, sheet.show(each, by_key, entrant)) for each in chosen if each.outcomes]


def _told(kept: _Kept, plan: "Plan") -> str:
    names = {entry.name for entry in kept.entries}
    size = "their own size" if plan.size is None else f"{plan.size[0]} x {plan.size[1]} pixels"
    return (
        f"{len(kept.entries)} composites of {len(names)} foregrounds at {size}, {len(plan.names)} entrants. MSE, fMSE "
        "(over the foreground, weighted by the soft mask) and PSNR (peak 255) in 8-bit levels, means over pictures; "
        "PSNR inside: over the eroded foreground; made worse: a higher fMSE than the composite's."
    )


def _facts(kept: _Kept, plan: "Plan") -> list[tuple[str, str]]:
    from harmonize_engine import __version__

    judge = () if plan.judge is None else (("Judge", _judge_told(plan.judge, plan)),)
    return [
        ("Source", kept.arguments.source.resolve().name),
        ("Manifest", f"id {kept.manifest().id}: tables with the same id were made on the same composites"),
        ("Entrants", ", ".join(plan.names)),
        *judge,
        ("Harmonize", __version__),
    ]


def _judge_told(name: str, plan: "Plan") -> str:
    """Who scores real composites, and whether it may be believed."""
    from harmonize_engine import engine

    models = {model.name: model for model in engine.models(plan.folders)}
    judge = models[name]
    taking_part = {entrant.partition(":")[0] for entrant in plan.names}
    own = [model for model in taking_part if model in models and models[model].weights_sha256 == judge.weights_sha256]
    told = f"{name} {judge.version}, SHA-256 {judge.weights_sha256}: its harmony score, not calibrated"
    return f"{told}. It takes part itself: it may favour {', '.join(own)}" if own else told


def _notes(kept: _Kept, plan: "Plan") -> list[str]:
    notes = [f"Manifest id {kept.manifest().id}."]
    if plan.lpips is None:
        notes.append("LPIPS was not measured: no weights were given (--lpips FILE).")
    if plan.judge is not None:
        notes.append(f"Judge of real composites: {_judge_told(plan.judge, plan)}.")
    if kept.refused:
        notes.append(f"{len(kept.refused)} scenes were left out: {'; '.join(kept.refused[:5])}")
    return notes


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"a count is 0 or more, not {text}")
    return value


def _size(text: str) -> int | str:
    if text in ("auto", "full"):
        return 0 if text == "full" else text
    if int(text) < 16:
        raise argparse.ArgumentTypeError(f"a size is at least 16 pixels, not {text}")
    return int(text)
