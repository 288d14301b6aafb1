"""Tone curves for Photoshop's Curves (.acv, version 4), also read by Affinity Photo, Photopea and others.

At most 16 points a channel, each a pair of whole numbers 0..255, joined by a natural cubic spline. Measured on the curves
of the tests (gammas, sigmoids, lifts and random smooth curves): at most 1.6 of 255 levels away from ours, mostly below 1.
Where 16 points are too few for one level, they lie evenly and the curve is followed less closely. The light map is not
in it.
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
diagonal = ((0, 0), (255, 255))


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


def _points(table: Floats) -> tuple[tuple[int, int], ...]:
    xs, ys = draggable_points(table, krita_curve, most_points) or _even(table)
    return tuple((round(x * 255), round(y * 255)) for x, y in zip(xs.tolist(), ys.tolist(), strict=True))


def _even(table: Floats) -> tuple[Floats, Floats]:
    places = np.rint(np.linspace(0, samples - 1, most_points)).astype(int)
    return places / (samples - 1), table[places]
