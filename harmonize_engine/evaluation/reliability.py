"""Whether a model knows how well it does: predicted harmony and gain against the true ones, and what its gate could win.

True harmony is exp(-RMS error over the foreground / 20 levels), as in training: 1 = in harmony, 1/e at 20 levels. The gain
is how many levels nearer to the truth a result is than its composite; the predicted one is read from both harmonies.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harmonize_engine.curves import Floats
from harmonize_engine.evaluation.outcome import Outcome
from harmonize_engine.evaluation.protocols import is_enlarged
from harmonize_engine.gate import levels_off, scale

bins = 10  # of equally many pictures


@dataclass(frozen=True)
class Bin:
    """Some pictures with alike predictions: the mean prediction, the mean truth with the middle half, and how many."""

    predicted: float
    true: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Calibration:
    """Predictions in bins; error: mean |predicted - true| over the bins, weighted by count (ECE)."""

    bins: tuple[Bin, ...]
    error: float
    correlation: float


@dataclass(frozen=True)
class Gate:
    """What leaving some pictures alone does, those of the least predicted gain first.

    left: share left alone; worse: share of all made worse; ratio: fMSE of all as a share of the composites'; now: where the
    model's own advice stands.
    """

    left: tuple[float, ...]
    worse: tuple[float, ...]
    ratio: tuple[float, ...]
    now: tuple[float, float, float]


@dataclass(frozen=True)
class Reliability:
    """Of one entrant: its opinion of the composites, of its results, and of its gain, which is in levels."""

    entrant: str
    before: Calibration
    after: Calibration
    gain: Calibration
    gate: Gate

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)


def reliabilities(outcomes: Sequence[Outcome]) -> list[Reliability]:
    """Of every entrant that has an opinion and does not act on it; what its gate did is read from NAME:gate."""
    gates = {(o.entrant, o.group, o.name): o.left for o in outcomes if o.entrant.endswith(":gate")}
    found: list[Reliability] = []
    for entrant in dict.fromkeys(o.entrant for o in outcomes if o.harmony_before is not None and ":" not in o.entrant):
        mine = [o for o in outcomes if o.entrant == entrant and o.harmony_before is not None]
        part = [o for o in mine if not is_enlarged(o.group) and np.isfinite(o.fmse_before)]
        left = np.array([gates.get((f"{entrant}:gate", o.group, o.name), False) for o in part])
        if len(part) >= bins:
            found.append(_of(entrant, part, left))
    return found


def true_harmony(fmse: Floats) -> Floats:
    """Score errors (n,), fMSE in 8-bit levels."""
    return np.exp(-np.sqrt(fmse) / scale)


def _of(entrant: str, outcomes: Sequence[Outcome], left: NDArray[np.bool_]) -> Reliability:
    before = np.array([o.harmony_before for o in outcomes], float)
    after = np.array([o.harmony_after for o in outcomes], float)
    error_before = np.array([o.fmse_before for o in outcomes])
    error_after = np.array([o.fmse for o in outcomes])
    return Reliability(
        entrant,
        calibration(before, true_harmony(error_before)),
        calibration(after, true_harmony(error_after)),
        calibration(np.array([predicted_gain(o) for o in outcomes]), np.array([o.gain for o in outcomes])),
        _gate(np.array([predicted_gain(o) for o in outcomes]), error_before, error_after, left),
    )


def predicted_gain(outcome: Outcome) -> float:
    """How many levels nearer to the truth a model believes its result to be; 0 where it has no opinion."""
    if outcome.harmony_before is None or outcome.harmony_after is None:
        return 0.0
    return levels_off(outcome.harmony_before) - levels_off(outcome.harmony_after)


def calibration(predicted: Floats, true: Floats) -> Calibration:
    """Compare predictions (n,) with the truth (n,), both harmonies or both levels."""
    found: list[Bin] = []
    for rows in np.array_split(np.argsort(predicted, kind="stable"), min(bins, len(predicted))):
        low, high = np.percentile(true[rows], (25, 75))
        found.append(Bin(float(predicted[rows].mean()), float(true[rows].mean()), float(low), float(high), len(rows)))
    error = sum(abs(b.predicted - b.true) * b.count for b in found) / len(predicted)
    flat = predicted.std() == 0 or true.std() == 0
    return Calibration(tuple(found), float(error), 0.0 if flat else float(np.corrcoef(predicted, true)[0, 1]))


def _gate(gain: Floats, before: Floats, after: Floats, left: NDArray[np.bool_]) -> Gate:
    order = np.argsort(gain, kind="stable")
    worse = (after > before + 1e-9)[order]
    total = max(float(before.sum()), 1e-9)
    # the first k are left alone, for k = 0 .. n
    still_worse = np.concatenate(([worse.sum()], worse.sum() - worse.cumsum())) / len(worse)
    saved = np.concatenate(([0.0], (before - after)[order].cumsum()))
    ratio = (after.sum() + saved) / total
    steps = np.linspace(0, len(worse), 51).round().astype(int)
    kept = np.where(left, before, after)
    now = float(left.mean()), float((kept > before + 1e-9).mean()), float(kept.sum() / total)
    return Gate(tuple((steps / len(worse)).tolist()), tuple(still_worse[steps].tolist()), tuple(ratio[steps].tolist()), now)
