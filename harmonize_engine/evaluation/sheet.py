"""Which results to look at: those that did most harm, those in the middle, and those that did most good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harmonize_engine.composite import Pixels
from harmonize_engine.evaluation import pasted
from harmonize_engine.evaluation.entrants import Entrant
from harmonize_engine.evaluation.outcome import Outcome
from harmonize_engine.evaluation.protocols import is_enlarged
from harmonize_engine.evaluation.scene import Entry, Scene


@dataclass(frozen=True)
class Sheet:
    """Some outcomes of one entrant, the worst first."""

    title: str
    note: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, eq=False)
class Shown:
    """A result beside its composite and its truth."""

    outcome: Outcome
    scene: Scene
    result: Pixels


def sheets(outcomes: Sequence[Outcome], entrant: str, count: int) -> list[Sheet]:
    """Choose `count` each of the worst, the farthest off, the median and the best, by what they won or lost.

    A foreground is shown once on each sheet: what is hard in one family is hard in others, too.
    """
    part = [o for o in outcomes if o.entrant == entrant and o.fmse_before > 0 and not is_enlarged(o.group)]
    ranked = sorted(part, key=lambda o: (o.gain, o.name))
    farthest = sorted(ranked, key=lambda o: -o.fmse)
    middle = max(0, (len(ranked) - count) // 2)
    real = [o for o in outcomes if o.entrant == entrant and o.group == pasted.group]
    return [
        Sheet("Most harm", "farther from the truth than the composite was, the worst first", _distinct(ranked, count)),
        Sheet("Farthest off", "largest error left, whatever it was before", _distinct(farthest, count)),
        Sheet("In the middle", "as many did better as did worse", _distinct(ranked[middle:], count)),
        Sheet("Most good", "nearest to the truth compared with the composite", _distinct(ranked[::-1], count)),
        Sheet("Real composites", "cut-outs on other photographs; the first, not chosen", _distinct(real, count)),
    ]


def _distinct(outcomes: Sequence[Outcome], count: int) -> tuple[Outcome, ...]:
    """The first outcomes of different foregrounds."""
    found: dict[str, Outcome] = {}
    for outcome in outcomes:
        if len(found) < count:
            found.setdefault(outcome.name, outcome)
    return tuple(found.values())


def show(sheet: Sheet, entries: Mapping[tuple[str, str], Entry], entrant: Entrant) -> list[Shown]:
    """Make the pictures of a sheet again; entries by group and name. Raises HarmonizeError."""
    found: list[Shown] = []
    for outcome in sheet.outcomes:
        entry = entries.get((outcome.group, outcome.name))
        if entry is not None:
            scene = entry.scene()
            found.append(Shown(outcome, scene, entrant.answer(scene).pixels))
    return found
