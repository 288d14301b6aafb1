"""Tone curves: one per channel, on display-encoded values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harmonize_engine.errors import HarmonizeError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curves:
    """R, G and B tone curves on display-encoded values, linear between knots, constant nowhere: the ends are knots.

    x: (K,) rising from exactly 0 to exactly 1; y: (3, K) in [0,1]. Raises HarmonizeError `bad_curves` for anything else.
    """

    x: Floats
    y: Floats

    def __post_init__(self) -> None:
        x, y = _frozen(self.x), _frozen(self.y)
        if x.ndim != 1 or len(x) < 2 or y.shape != (3, len(x)):
            raise HarmonizeError("bad_curves", f"Curves need (K,) and (3, K) numbers, K >= 2, not {x.shape} and {y.shape}.")
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise HarmonizeError("bad_curves", "Curves hold a number that is not finite.")
        if x[0] != 0 or x[-1] != 1 or (np.diff(x) <= 0).any():
            raise HarmonizeError("bad_curves", "The knots of curves must rise from exactly 0 to exactly 1.")
        if y.min() < 0 or y.max() > 1:
            raise HarmonizeError("bad_curves", "The values of curves must lie between 0 and 1.")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Curves) and np.array_equal(self.x, other.x) and np.array_equal(self.y, other.y)

    @classmethod
    def identity(cls) -> "Curves":
        """Curves that change nothing."""
        return cls(np.array([0.0, 1.0]), np.array([[0.0, 1.0]] * 3))

    @classmethod
    def uniform(cls, y: ArrayLike) -> "Curves":
        """Curves through values (3, K) at K knots spread evenly over [0,1]; values are clipped to [0,1]."""
        values = np.clip(np.asarray(y, np.float64), 0.0, 1.0)
        return cls(np.linspace(0.0, 1.0, values.shape[-1]), values)

    @property
    def is_identity(self) -> bool:
        """Whether every knot maps to itself."""
        return bool((self.y == self.x).all())

    def table(self, size: int) -> Floats:
        """Sample the curves at `size` inputs spread evenly over [0,1], (3, size)."""
        at = np.linspace(0.0, 1.0, size)
        return np.stack([np.interp(at, self.x, channel) for channel in self.y])

    def apply(self, values: Floats) -> Floats:
        """Send display-encoded values (..., 3) through the curves; inputs beyond [0,1] count as its ends."""
        return np.stack([np.interp(values[..., c], self.x, self.y[c]) for c in range(3)], axis=-1)

    def blend(self, strength: float) -> "Curves":
        """Mix with the identity: 0 = no change, 1 = these curves; what a layer's opacity does."""
        return Curves(self.x, self.x + strength * (self.y - self.x)) if strength != 1 else self

    def then(self, after: "Curves") -> "Curves":
        """Join two curves into one that is exact: knots of both, those of `after` traced back through each channel."""
        traced = [_crossings(self.x, channel, after.x) for channel in self.y]
        x = np.unique(np.concatenate([self.x, *traced]))
        middle = np.stack([np.interp(x, self.x, channel) for channel in self.y])
        return Curves(x, np.stack([np.interp(middle[c], after.x, after.y[c]) for c in range(3)]))


def _frozen(numbers: ArrayLike) -> Floats:
    array = np.array(numbers, np.float64)
    array.setflags(write=False)
    return array


def _crossings(x: Floats, y: Floats, levels: Floats) -> Floats:
    """Find where a piecewise-linear curve passes each level, strictly inside its segments."""
    low, high = y[:-1, None], y[1:, None]
    passed = (np.minimum(low, high) < levels) & (levels < np.maximum(low, high))
    segment, level = np.nonzero(passed)
    share = (levels[level] - y[segment]) / (y[segment + 1] - y[segment])
    return x[segment] + share * (x[segment + 1] - x[segment])
