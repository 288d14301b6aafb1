"""The table of real composites, whose truth nobody knows: what a judge says, and how near colours come."""

from collections.abc import Sequence

import numpy as np

from harmonize_engine.evaluation import families, pasted
from harmonize_engine.evaluation.outcome import Outcome
from harmonize_engine.evaluation.table import Cell, Table, number

themselves = "photographs themselves"
note = (
    "Cut-outs pasted on other photographs; nobody knows the truth. Harmony: as the judge scores results, 0 to 1, and on "
    "how many it scores them higher than the composite. Colour distance: between foreground and background, in CIELAB; "
    "nearer is better only down to what photographs themselves have, the last row. Moved: mean change of the foreground."
)


def table(outcomes: Sequence[Outcome]) -> Table | None:
    """Summarise every entrant's real composites; None where there are none."""
    real = [o for o in outcomes if o.group == pasted.group]
    if not real:
        return None
    judged = any(o.judged_after is not None for o in real)
    parts = {name: [o for o in real if o.entrant == name] for name in dict.fromkeys(o.entrant for o in real)}
    parts[themselves] = [o for o in outcomes if o.family == families.untouched and o.entrant == "composite"]
    header = ("entrant", *(("harmony", "raised") if judged else ()), "colour distance", "moved", "left alone")
    rows = tuple((name, _cells(part, judged)) for name, part in parts.items() if part)
    return Table(f"Real composites ({max(len(part) for part in parts.values())})", note, header, rows)


def _cells(part: Sequence[Outcome], judged: bool) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    if judged:
        scores = [
            (o.judged_before, o.judged_after) for o in part if o.judged_before is not None and o.judged_after is not None
        ]
        raised = _mean([after > before for before, after in scores])
        cells += [number(_mean([after for _, after in scores]), 3), Cell("" if not scores else f"{100 * raised:.0f} %")]
    cells.append(number(_mean([o.distance_after for o in part if o.distance_after is not None]), 1))
    return (*cells, number(_mean([o.moved for o in part]), 2), Cell(f"{100 * _mean([o.left for o in part]):.1f} %"))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
