"""How far a correction is carried: the smaller it is, the less; the smallest are not made."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harmonize_engine.curves import Curves
from harmonize_engine.harmonization import Adjustment, Harmonization
from harmonize_engine.shading import Shading, from_gain


@dataclass(frozen=True)
class Caution:
    """Carries a network's correction on by boldness x (1 - (reserve / m)^power), m = how far it moves the foreground.

    m and reserve: levels, RMS over the foreground. A network errs by about as much whatever a composite is off: small
    corrections are mostly error, and below the reserve none is made. Large ones fall short, for squared errors teach
    timidity: boldness makes up for that. The lower the power, the larger the corrections that are held back as well: 2 is
    the non-negative garrote (Breiman, 1995), 1 the soft threshold (Donoho and Johnstone, 1994). All three are chosen on
    photographs kept for calibration (evaluation/caution.py).
    """

    boldness: float = 1.0
    reserve: float = 0.0
    power: float = 2.0

    @classmethod
    def read(cls, numbers: dict[str, Any]) -> "Caution":
        """Read a model card's; none given = as the network says. Raises ValueError, TypeError or KeyError."""
        if not numbers:
            return cls()
        found = cls(float(numbers["boldness"]), float(numbers["reserve"]), float(numbers.get("power", cls.power)))
        if not (0 < found.boldness <= 4 and 0 <= found.reserve <= 255 and 0 < found.power <= 4):
            raise ValueError(f"no caution: {found}")
        return found

    def strength(self, moved: float) -> float:
        """How far to carry a correction that moves the foreground by so many levels: 0 = not made, 1 = as it is."""
        if not self.reserve:
            return self.boldness
        return self.boldness * max(0.0, 1 - (self.reserve / max(moved, 1e-6)) ** self.power)


as_it_is = Caution()


def carried(harmonization: Harmonization, strength: float) -> Harmonization:
    """Carry every adjustment so far from the identity; 0 = none, above 1 = further than it goes."""
    if math.isclose(strength, 1):
        return harmonization
    return replace(harmonization, adjustments=tuple(_carried(one, strength) for one in harmonization.adjustments))


def _carried(adjustment: Adjustment, strength: float) -> Adjustment:
    match adjustment:
        case Curves(x, y):  # rising ones still rise and stay in [0,1]
            even = np.diff(x)
            steps = np.maximum(0, even + strength * (np.diff(y, axis=1) - even))
            black = strength * y[:, :1]
            return Curves(x, np.clip(np.hstack((black, black + np.cumsum(steps, axis=1))), 0, 1))
        case Shading(gain):
            return from_gain(gain**strength)
        case _:
            return adjustment.blend(min(1.0, strength))
