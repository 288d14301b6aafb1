"""Tone curves for Photoshop's Curves (.acv, version 4), also read by Affinity Photo, Photopea and others.

At most 16 points a channel, each a pair of whole numbers 0..255, taken to be joined by a natural cubic spline. Measured in
8-bit levels: smooth curves (gammas, sigmoids, 30 random ones) are met within 0.4 to 1.5, a sharp bend where a curve runs
into 0 or 1 within 2.5. Where 16 points are too few for one level, they lie evenly and the curve is followed less closely.
The light map is not in it.
"""

import struct
from pathlib import Path

import numpy as np

from harmonize_engine.curves import Floats
from harmonize_engine.files.atomic import atomic
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.files.tone_curves import joined_curves
from harmonize_engine.splines import draggable_points, krita_curve

version, most_points, samples = 4, 16, 256
Points = tuple[tuple[int, int], ...]  # input, output
diagonal: Points = ((0, 0), (255, 255))


def write(picture: LayeredPicture, path: Path) -> None:
    """Write composite (unchanged), red, green and blue curves of display-encoded values, big-endian.

    Raises HarmonizeError `not_expressible`, `unsupported_order`, and what `atomic` raises.
    """
    curves = [diagonal, *(_points(table) for table in joined_curves(picture).table(samples))]
    content = struct.pack(">HH", version, len(curves))
    for points in curves:
        content += struct.pack(">H", len(points))
        content += b"".join(struct.pack(">HH", output, given) for given, output in points)
    with atomic(path) as file:
        file.write(content)


def _points(table: Floats) -> Points:
    """Whole-number points whose spline follows the samples best; few suffer least from rounding, but not always."""
    found = [draggable_points(table, krita_curve, most_points, level / 255) for level in (1.0, 0.5, 0.25)]
    candidates = [_rounded(*points) for points in found if points is not None] or [_even(table)]
    return min((_settled(points, table) for points in candidates), key=lambda points: _error(points, table))


def _rounded(xs: Floats, ys: Floats) -> Points:
    return tuple((round(x * 255), round(y * 255)) for x, y in zip(xs.tolist(), ys.tolist(), strict=True))


def _even(table: Floats) -> Points:
    places = np.rint(np.linspace(0, samples - 1, most_points)).astype(int)
    return _rounded(places / (samples - 1), table[places])


def _settled(points: Points, table: Floats) -> Points:
    """Move single points up or down by one level as long as that helps."""
    while True:
        moved = [
            (*points[:i], (x, y + step), *points[i + 1 :])
            for i, (x, y) in enumerate(points)
            for step in (-1, 1)
            if 0 <= y + step <= 255
        ]
        best = min(moved, key=lambda candidate: _error(candidate, table))
        if _error(best, table) >= _error(points, table):
            return points
        points = best


def _error(points: Points, table: Floats) -> float:
    xs, ys = np.array(points).T / 255
    return float(np.abs(krita_curve(xs, ys, np.linspace(0, 1, samples)) - table).max())
