"""What a person is told about a finished picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from harmonize_engine.cli.outcome import Outcome
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.report.report import leaving, word


def tell(outcome: Outcome, engine: str, written: Sequence[Path], writing_ms: float) -> None:
    """Print model, engine, harmony, what was written, time and notes, a line each; engine: who looked."""
    if outcome.left:
        print(f"{leaving(outcome.harmonization)} (Use --always to apply the model's adjustments anyway.)")
    row("model", f"{outcome.harmonization.model} {outcome.harmonization.version}")
    row("engine", engine)
    row("harmony", harmony(outcome.harmonization))
    row("wrote", ", ".join(str(path) for path in written))
    times = f"{outcome.looking_ms:.0f} ms looking, {outcome.rendering_ms:.0f} ms rendering, {writing_ms:.0f} ms writing"
    row("time", times)
    tell_notes(outcome.inputs.notes)


def tell_notes(notes: Sequence[str]) -> None:
    """Print what was converted while reading."""
    for note in notes:
        row("note", note)


def row(label: str, value: str, stream: TextIO | None = None) -> None:
    """Print one line, to standard output where nothing else is said."""
    print(f"{label:<9} {value}", file=stream)


def harmony(harmonization: Harmonization) -> str:
    """Say how well the foreground fits before and after."""
    confidence = harmonization.confidence
    if confidence is None:
        return "not judged by this model"
    before, after = confidence.before, confidence.after
    return f"{before:.2f} ({word(before)}) -> {after:.2f} ({word(after)})"
