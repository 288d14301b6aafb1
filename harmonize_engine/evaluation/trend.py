"""How an error falls with more of something: a + b n^-c, the power law that networks are found to follow."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harmonize_engine.curves import Floats

exponents = np.concatenate((np.arange(0.02, 1.0, 0.01), np.arange(1.0, 2.01, 0.05)))
fewest = 3  # points; three would be met exactly whatever they are, so their floor is taken as 0


@dataclass(frozen=True)
class Trend:
    """a + b n^-c. floor: a, what no n would get below; residual: RMS distance of the points from it."""

    floor: float
    factor: float
    exponent: float
    residual: float

    def at(self, amount: float) -> float:
        """What it says for another n."""
        return self.floor + self.factor * amount**-self.exponent


def fitted(amounts: Sequence[float], errors: Sequence[float]) -> Trend | None:
    """Fit by least squares with a >= 0 and b >= 0; None for fewer than three different amounts."""
    count = len(set(amounts))
    if count < fewest:
        return None
    n, y = np.array(amounts, float), np.array(errors, float)
    unit = float(np.exp(np.log(n).mean()))  # numbers near 1 are told apart best
    trends = [_at(n / unit, y, float(c), count > fewest) for c in exponents]
    best = min(trends, key=lambda trend: trend.residual)
    return Trend(best.floor, best.factor * unit**best.exponent, best.exponent, best.residual)


def _at(n: Floats, y: Floats, exponent: float, has_floor: bool) -> Trend:
    fall = n**-exponent
    slope = float(((fall - fall.mean()) * (y - y.mean())).sum() / ((fall - fall.mean()) ** 2).sum())
    floor = float(y.mean() - slope * fall.mean())
    if slope < 0:  # it rises: the best that never does is flat
        slope, floor = 0.0, float(y.mean())
    elif floor < 0 or not has_floor:
        slope, floor = float((fall * y).sum() / (fall**2).sum()), 0.0
    return Trend(floor, slope, exponent, float(np.sqrt(((floor + slope * fall - y) ** 2).mean())))


def between(amounts: Sequence[float], errors: Sequence[float], amount: float) -> tuple[float, float]:
    """The least and the largest that the trend says for another n when each point in turn is left out."""
    said: list[float] = []
    for left_out in range(len(amounts)):
        rows = [row for row in range(len(amounts)) if row != left_out]
        trend = fitted([amounts[row] for row in rows], [errors[row] for row in rows])
        if trend is not None:
            said.append(trend.at(amount))
    return (min(said), max(said)) if said else (float("nan"), float("nan"))
