# SPDX-License-Identifier: GPL-3.0-or-later
"""Krita's tone curve through points, and few points for a given tone curve; plain Python, values in [0, 1].

A curve is the natural cubic spline through its points, flat beyond the ends and kept in [0, 1]. Krita stores coordinates
with six digits, evaluates the curve at k / 255 and reads between these 256 values.
"""

from bisect import bisect_right

grid = [k / 255 for k in range(256)]


def stored(value):
    """A coordinate as Krita keeps it."""
    return float(f"{value:.6g}")


def linear(xs, ys, x):
    """A curve that is straight between its knots."""
    if x <= xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[-1]
    right = bisect_right(xs, x)
    share = (x - xs[right - 1]) / (xs[right] - xs[right - 1])
    return ys[right - 1] + share * (ys[right] - ys[right - 1])


def bends(xs, ys):
    """Second derivatives of the natural spline at its points (Thomas's algorithm)."""
    count = len(xs)
    upper, right = [0.0] * count, [0.0] * count
    for i in range(1, count - 1):
        before, after = xs[i] - xs[i - 1], xs[i + 1] - xs[i]
        change = 6 * ((ys[i + 1] - ys[i]) / after - (ys[i] - ys[i - 1]) / before)
        pivot = 2 * (before + after) - before * upper[i - 1]
        upper[i] = after / pivot
        right[i] = (change - before * right[i - 1]) / pivot
    bend = [0.0] * count
    for i in range(count - 2, 0, -1):
        bend[i] = right[i] - upper[i] * bend[i + 1]
    return bend


def drawn(xs, ys, at=grid):
    """What Krita draws through the points, at increasing positions."""
    bend, values, right = bends(xs, ys), [], 1
    for x in at:
        x = min(max(x, xs[0]), xs[-1])
        while right < len(xs) - 1 and x > xs[right]:
            right += 1
        width = xs[right] - xs[right - 1]
        b = (x - xs[right - 1]) / width
        a = 1 - b
        value = a * ys[right - 1] + b * ys[right]
        value += ((a**3 - a) * bend[right - 1] + (b**3 - b) * bend[right]) * width * width / 6
        values.append(min(max(value, 0.0), 1.0))
    return values


def fitted(table, tolerances, most):
    """Few points whose curve stays within the tolerances of 256 values at k / 255; None where `most` are too few."""
    chosen = [0, 85, 170, 255]
    while len(chosen) <= most:
        xs, ys = [stored(grid[k]) for k in chosen], [stored(table[k]) for k in chosen]
        excess = [abs(is_ - wanted) / limit for is_, wanted, limit in zip(drawn(xs, ys), table, tolerances, strict=True)]
        worst = max(range(256), key=excess.__getitem__)
        if excess[worst] <= 1:
            return xs, ys
        chosen = sorted({*chosen, worst})
    return None


def even(table, count):
    """Evenly spread points of a curve; 256 of them are all that Krita has."""
    xs = [k / (count - 1) for k in range(count)]
    return [stored(x) for x in xs], [stored(linear(grid, table, x)) for x in xs]
