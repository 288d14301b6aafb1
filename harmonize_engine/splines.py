"""The hosts' own curves through points, and few draggable points for a given tone curve.

All values are display-encoded and in [0, 1]; everything is float64.  Both hosts' curves are linear in the
points' y, so each is a matrix of weights, (samples, points), times y, clamped to [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Curve = Callable[[ArrayLike, ArrayLike, ArrayLike], Array]
table_size = 256  # entries of the table that both hosts make of a curve and read between
digits = 6  # significant digits of a coordinate in Krita
grid = np.array([float(f"{k / (table_size - 1):.{digits}g}") for k in range(table_size)])  # where points may lie
reaches = 4, 1  # over which bends are looked for: the wide one sees through 8-bit steps, the narrow one finds a kink


def krita_curve(points_x: ArrayLike, points_y: ArrayLike, at: ArrayLike) -> Array:
    """Krita's tone curve at display-encoded values: natural cubic spline, flat beyond the ends, in [0, 1].

    points_x (K,) increasing, points_y (K,), at (N,); returns (N,).  Krita evaluates this at k/255 into a
    table of 256 16-bit entries.  An 8-bit pixel is one of them and a float pixel is read linearly between
    two (float 0 and 1 pass unchanged); in a 16-bit document only the 33 values at k/32 are read from the
    table and everything between them is linear, which a steep curve shows.
    """
    return _clamped(krita_weights, points_x, points_y, at)


def gimp_curve(points_x: ArrayLike, points_y: ArrayLike, at: ArrayLike) -> Array:
    """GIMP's smooth tone curve at display-encoded values: one cubic Bézier a segment, flat beyond the ends.

    points_x (K,) increasing, points_y (K,), at (N,); returns (N,) in [0, 1].  GIMP evaluates this at k/255
    into 256 samples and reads linearly between two.  It moves a point to the nearest k/255, so points have
    to lie there for this to be what GIMP draws.
    """
    return _clamped(gimp_weights, points_x, points_y, at)


def krita_weights(points_x: Array, at: Array) -> Array:
    """What each point's y contributes to Krita's curve before it is clamped: (N, K)."""
    width = np.diff(points_x)
    unit = np.eye(len(points_x))
    slopes = np.diff(unit, axis=0) / width[:, None]
    bend = np.zeros_like(unit)  # second derivatives, zero at both ends
    if len(points_x) > 2:
        system = np.diag(2 * (width[:-1] + width[1:])) + np.diag(width[1:-1], 1) + np.diag(width[1:-1], -1)
        bend[1:-1] = np.linalg.solve(system, 6 * np.diff(slopes, axis=0))
    segment, right = _position(points_x, at)
    left = 1 - right
    square = width[segment, None] ** 2 / 6
    straight = left * unit[segment] + right * unit[segment + 1]
    return straight + square * ((left**3 - left) * bend[segment] + (right**3 - right) * bend[segment + 1])


def gimp_weights(points_x: Array, at: Array) -> Array:
    """What each point's y contributes to GIMP's smooth curve before it is clamped: (N, K).

    At an inner point the tangent is parallel to the chord of its two neighbours, and each handle reaches a
    third of its segment.  The handle at an end point lies half-way to its segment's other handle.
    """
    width = np.diff(points_x)[:, None]
    start, end = np.eye(len(points_x))[:-1], np.eye(len(points_x))[1:]
    if len(points_x) == 2:
        leave, arrive = (2 * start + end) / 3, (start + 2 * end) / 3
    else:
        chord = (end[1:] - start[:-1]) / (points_x[2:] - points_x[:-2])[:, None]
        leave, arrive = start.copy(), end.copy()
        leave[1:] += chord * width[1:] / 3
        arrive[:-1] -= chord * width[:-1] / 3
        leave[0] = (start[0] + arrive[0]) / 2
        arrive[-1] = (end[-1] + leave[-1]) / 2
    segment, right = _position(points_x, at)
    left = 1 - right
    ends = left**3 * start[segment] + right**3 * end[segment]
    return ends + 3 * left * right * (left * leave[segment] + right * arrive[segment])


def draggable_points(
    samples: ArrayLike, curve: Curve, most: int = 16, tolerance: float = 1 / 255
) -> tuple[Array, Array] | None:
    """Few points whose host curve follows a display-encoded tone curve; None where `most` are too few.

    samples: (N,), N >= 2, uniform on [0, 1], in [0, 1], taken as piecewise linear; curve: krita_curve or
    gimp_curve.  Returns (xs, ys), each (K,), 2 <= K <= most, both ends of the samples among them and
    kept; the curve through them is within `tolerance` of the samples everywhere.  xs lie on the grid
    k/255 and all coordinates have the six significant digits that Krita stores.
    """
    fit = _Fit.of(samples, curve)
    for reach in reaches:
        for count in range(2, most + 5):  # a few too many are worth a try: some of them may not be missed
            points = fit.spread(count, reach)
            if fit.error(points) <= tolerance:
                points = _thinned(fit, points, tolerance)
                if len(points) <= most:
                    return grid[points], fit.ys(points)
                break
    return None


def closest_points(
    samples: ArrayLike, curve: Curve, most: int = 16, tolerance: float = 1 / 255
) -> tuple[Array, Array] | None:
    """At most `most` points whose host curve follows a display-encoded tone curve closely, not as few as will do.

    Arguments, answer and what holds for it are those of `draggable_points`.
    """
    fit = _Fit.of(samples, curve)
    points = min((fit.spread(most, reach) for reach in reaches), key=fit.error)
    return (grid[points], fit.ys(points)) if fit.error(points) <= tolerance else None


@dataclass(frozen=True, eq=False)
class _Fit:
    """A tone curve's values at the grid and wherever it may bend, and the host's curve that is to follow it there."""

    curve: Curve
    weights: Callable[[Array, Array], Array]
    at: Array
    target: Array

    @classmethod
    def of(cls, samples: ArrayLike, curve: Curve) -> _Fit:
        values = np.asarray(samples, dtype=np.float64)
        uniform = np.linspace(0, 1, len(values))
        at = grid if len(values) == table_size else np.union1d(grid, uniform)
        return cls(curve, krita_weights if curve is krita_curve else gimp_weights, at, np.interp(at, uniform, values))

    def ys(self, points: list[int]) -> Array:
        xs = grid[points]
        return _stored(_fitted_y(self.weights(xs, self.at), np.interp(xs, self.at, self.target), self.target))

    def error(self, points: list[int]) -> float:
        return float(np.abs(self.curve(grid[points], self.ys(points), self.at) - self.target).max())

    def spread(self, count: int, reach: int) -> list[int]:
        return _spread(_bend(np.interp(grid, self.at, self.target), reach), count)


def _bend(values: Array, reach: int) -> Array:
    """How many points each grid position asks for, summed from the left: (256,), from 0 to 1.

    The root of the second derivative, so that a sharp bend does not draw all points to itself, of the curve
    smoothed over `reach` levels to each side; a twentieth is spread evenly.
    """
    window = np.full(2 * reach + 1, 1 / (2 * reach + 1))
    slope = np.convolve(np.pad(np.gradient(values), reach, mode="edge"), window, mode="valid")
    density = np.sqrt(np.abs(np.gradient(slope)))
    density += 0.05 * density.mean() + 1e-9
    total = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return total / total[-1]


def _spread(bend: Array, count: int) -> list[int]:
    """Grid positions that share the curve's bend evenly, both ends included."""
    places = np.interp(np.linspace(0, 1, count), bend, np.arange(table_size))
    return np.unique(np.rint(places).astype(int)).tolist()


def _thinned(fit: _Fit, points: list[int], tolerance: float) -> list[int]:
    """Take away the point that is missed least, as long as the curve stays close enough."""
    while len(points) > 2:
        shorter = [points[:i] + points[i + 1 :] for i in range(1, len(points) - 1)]
        errors = [fit.error(candidate) for candidate in shorter]
        best = int(np.argmin(errors))
        if errors[best] > tolerance:
            break
        points = shorter[best]
    return points


def _fitted_y(weights: Array, start: Array, target: Array, rounds: int = 6) -> Array:
    """The y that keep the largest error small, both ends fixed: Lawson's reweighted least squares."""
    best, smallest = start, np.abs(np.clip(weights @ start, 0, 1) - target).max()
    inner, ends = weights[:, 1:-1], weights[:, [0, -1]] @ start[[0, -1]]
    if not inner.shape[1]:
        return best
    emphasis, wanted, ys = np.ones_like(target), target, start.copy()
    for _ in range(rounds):
        pull = inner.T * emphasis
        ridge = 1e-12 * np.eye(inner.shape[1])
        ys[1:-1] = np.clip(np.linalg.solve(pull @ inner + ridge, pull @ (wanted - ends)), 0, 1)
        drawn = weights @ ys
        errors = np.abs(np.clip(drawn, 0, 1) - target)
        if errors.max() < smallest:
            best, smallest = ys.copy(), errors.max()
        # Where the samples sit at 0 or 1 the curve is free to run on: it is clamped.
        wanted = np.where((target <= 0) & (drawn < 0) | (target >= 1) & (drawn > 1), drawn, target)
        emphasis = emphasis * (errors + 1e-6)
        emphasis /= emphasis.mean()
    return best


def _clamped(weights: Callable[[Array, Array], Array], points_x: ArrayLike, points_y: ArrayLike, at: ArrayLike) -> Array:
    xs, ys, positions = (np.asarray(values, dtype=np.float64) for values in (points_x, points_y, at))
    return np.clip(weights(xs, positions) @ ys, 0, 1)


def _position(points_x: Array, at: Array) -> tuple[NDArray[np.intp], Array]:
    """The segment of each value and how far along it lies, (N,) and (N, 1), flat beyond the ends."""
    inside = np.clip(at, points_x[0], points_x[-1])
    segment = np.clip(np.searchsorted(points_x, inside, side="right") - 1, 0, len(points_x) - 2)
    along = (inside - points_x[segment]) / np.diff(points_x)[segment]
    return segment, along[:, None]


def _stored(values: Array) -> Array:
    """Values as the hosts store them: rounded to six significant digits."""
    return np.array([float(f"{value:.{digits}g}") for value in values])
