"""When to leave a composite alone: what a network's own opinions are worth, calibrated on photographs it never saw.

A harmony of h stands for a foreground that is -20 ln h levels (RMS, 8 bit, display-encoded) off: 1 = fits, 1/e = 20 levels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harmonize_engine.harmonization import Confidence

scale = 20.0  # levels
unseen = 0.5  # levels: nobody sees a smaller change
least = 1e-3  # harmony that is still told apart: 138 levels off


@dataclass(frozen=True)
class Opinion:
    """What a network says of a composite and, looking again, of its own first result: harmony in [0,1].

    moved: how far what is made of it in the end is from the composite, RMS over the foreground, levels.
    """

    before: float
    after: float
    moved: float


@dataclass(frozen=True)
class Gate:
    """Turns an opinion into calibrated harmony and an advice.

    before: a and b of a + b h, the harmony of a composite that a network scores h; gain: the weights of 1, d(before),
    d(after) and moved, whose sum is how many levels nearer to the truth a result is; d(h) = -20 ln h. Both were fitted by
    least squares (evaluation/calibration.py). least_gain: below it, in levels, a composite is left alone. Without `gain`,
    as in version 1, opinions are taken as they are, and what is `leave_above` in harmony, or would not gain, is left.
    """

    leave_above: float = math.inf
    before: tuple[float, ...] = ()
    gain: tuple[float, ...] = ()
    least_gain: float = 0.0

    @classmethod
    def read(cls, numbers: dict[str, Any]) -> "Gate":
        """Read a model card's. Raises ValueError, TypeError or KeyError."""
        if "gain" not in numbers:
            return cls(float(numbers["leave_above"]))
        before, gain = (tuple(float(weight) for weight in numbers[name]) for name in ("before", "gain"))
        gate = cls(before=before, gain=gain, least_gain=float(numbers["least_gain"]))
        if (len(before), len(gain)) != (2, 4) or not all(map(math.isfinite, (*before, *gain, gate.least_gain))):
            raise ValueError("no gate")
        return gate

    def confidence(self, opinion: Opinion) -> Confidence:
        """Say how well the foreground fits, will fit, and whether to leave it."""
        nothing = opinion.moved < unseen
        if not self.gain:
            leave = nothing or opinion.before >= self.leave_above or opinion.after <= opinion.before
            return Confidence(round(opinion.before, 4), round(opinion.after, 4), leave)
        off = levels_off(min(max(self.before[0] + self.before[1] * opinion.before, least), 1.0))
        gain = sum(weight * value for weight, value in zip(self.gain, features(opinion), strict=True))
        # no result can be nearer or farther by more than it was moved, nor nearer than the truth itself
        gain = min(max(gain, -opinion.moved), opinion.moved, off)
        return Confidence(round(harmony(off), 4), round(harmony(off - gain), 4), nothing or gain < self.least_gain)


def features(opinion: Opinion) -> Sequence[float]:
    """What the gain is predicted from."""
    return 1.0, levels_off(opinion.before), levels_off(opinion.after), opinion.moved


def levels_off(harmony: float) -> float:
    """The error that a harmony stands for."""
    return -scale * math.log(max(harmony, least))


def harmony(levels: float) -> float:
    """The harmony that an error stands for."""
    return math.exp(-levels / scale)
