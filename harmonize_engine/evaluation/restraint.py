"""What a model's gate does: how many results are worse than their composites with it and without it, and what it costs."""

from collections.abc import Callable, Mapping, Sequence

from harmonize_engine.evaluation import families
from harmonize_engine.evaluation.outcome import Outcome
from harmonize_engine.evaluation.protocols import is_enlarged
from harmonize_engine.evaluation.reliability import reliabilities
from harmonize_engine.evaluation.summary import Summary
from harmonize_engine.evaluation.table import Cell, Table, number, percent, ratio

kinds: Mapping[str, Callable[[Outcome], bool]] = {
    "trained": lambda o: o.family in families.trained,
    "light": lambda o: o.family == "light",
    "held out": lambda o: o.family in families.held_out,
    "all": lambda o: o.family != families.untouched,
    "untouched": lambda o: o.family == families.untouched,
}
note = (
    "Each model without and with its gate, which leaves a composite as it is where the predicted gain is too small; share "
    "made worse, what is left of the error, and how many it left, all magnitudes together. Off: by how many levels its "
    "predicted gains are wrong, mean over ten bins (expected calibration error)."
)


def table(outcomes: Sequence[Outcome]) -> Table | None:
    """Compare every model that took part with and without its gate; None where none did both."""
    found = [o for o in outcomes if not is_enlarged(o.group) and o.family in families.names]
    names = dict.fromkeys(o.entrant for o in found)
    both = [name for name in names if f"{name}:gate" in names]
    shown = [kind for kind, fits in kinds.items() if any(fits(o) for o in found)]
    if not both or not shown:
        return None
    errors = {each.entrant: each.gain.error for each in reliabilities(found)}
    rows: list[tuple[str, tuple[Cell, ...]]] = []
    for name in both:
        off = number(errors.get(name, float("nan")), 2)
        for entrant in (name, f"{name}:gate"):
            part = [o for o in found if o.entrant == entrant]
            cells = [cell for kind in shown for cell in _cells(kind, [o for o in part if kinds[kind](o)])]
            rows.append((entrant, (*cells, off if entrant == name else Cell(""))))
    header = ("entrant", *(title for kind in shown for title in _titles(kind)), "off")
    return Table("Do no harm: with and without the gate", note, header, tuple(rows))


def _titles(kind: str) -> Sequence[str]:
    return f"{kind}: worse", "moved" if kind == families.untouched else "ratio", "left"


def _cells(kind: str, outcomes: Sequence[Outcome]) -> tuple[Cell, Cell, Cell]:
    summary = Summary.of(outcomes)
    middle = number(summary.moved, 2) if kind == families.untouched else ratio(summary.ratio)
    return percent(summary.worse), middle, Cell("" if not outcomes else f"{100 * summary.left:.1f} %")
