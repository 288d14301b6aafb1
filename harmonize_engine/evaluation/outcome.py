"""What came of one scene with one entrant, and the file that keeps all of them: a table of comma-separated values."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from harmonize_engine.files.atomic import atomic


@dataclass(frozen=True)
class Outcome:
    """One result against its truth, in 8-bit levels; None where it does not apply, NaN where no truth is known."""

    group: str
    name: str
    entrant: str
    family: str
    magnitude: float
    foreground: float  # share of the picture
    mse: float
    fmse: float
    psnr: float
    ssim: float
    psnr_inside: float
    lpips: float | None
    fmse_before: float  # of the composite
    moved: float  # mean |result - composite| over the foreground
    harmony_before: float | None  # as the model sees it
    harmony_after: float | None
    left: bool
    seconds: float
    scene_sha256: str
    fingerprint: str
    judged_before: float | None = None  # harmony, as a judge sees it, of the composite
    judged_after: float | None = None  # and of the result
    distance_before: float | None = None  # between the colours of foreground and background, CIELAB
    distance_after: float | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is only one of."""
        return self.group, self.name, self.entrant

    @property
    def worse(self) -> bool:
        """Whether the result is farther from the truth than the composite was."""
        return self.fmse > self.fmse_before + 1e-9

    @property
    def gain(self) -> float:
        """By how many levels (RMS over the foreground) the result is nearer to the truth."""
        return float(np.sqrt(self.fmse_before) - np.sqrt(self.fmse))


columns = [column.name for column in fields(Outcome)]
_earlier = columns[: columns.index("judged_before")]  # what tables had before real composites were judged
_texts = {"group", "name", "entrant", "family", "scene_sha256", "fingerprint"}


def row(outcome: Outcome) -> str:
    """One line of the table, with its end."""
    values = [_written(getattr(outcome, column)) for column in columns]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(values)
    return stream.getvalue()


def _written(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    return f"{value:.6g}" if isinstance(value, float) else value


def write(outcomes: Iterable[Outcome], path: Path) -> None:
    """Write the whole table anew. Raises what `atomic` raises."""
    text = ",".join(columns) + "\n" + "".join(map(row, outcomes))
    with atomic(path) as file:
        file.write(text.encode())


def read(path: Path) -> list[Outcome]:
    """Read a table; lines that a stopped run left unfinished, and files of another version, count for nothing."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as lines:
        rows = csv.DictReader(lines)
        if rows.fieldnames not in (columns, _earlier):
            return []
        return [found for line in rows if (found := _parsed(line)) is not None]


def _parsed(line: dict[str, str | None]) -> Outcome | None:
    try:
        values: list[object] = []
        for column in columns:
            text = line.get(column, "")
            if text is None:
                return None
            if column in _texts:
                values.append(text)
            elif column == "left":
                values.append(bool(int(text)))
            else:
                values.append(float(text) if text else None)
        outcome = Outcome(*values)  # type: ignore[arg-type]
    except ValueError:
        return None
    return outcome if len(outcome.fingerprint) else None
