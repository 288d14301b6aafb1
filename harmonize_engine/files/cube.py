"""Colour tables in the .cube format, for darktable, DaVinci Resolve, OBS and most video tools.

A 1D table would hold tone curves exactly, but darktable reads 3D ones only. 65 steps per axis are what Resolve writes
itself and all three read; a curve with 2^n + 1 even knots, n <= 6 (the parametric model has 33), is exact in it. Other
curves are cut short at a knot between two steps: by at most 1/256 of the change of slope there. Saturation is exact at
the table's points only. The light map is not in it: it depends on the place.
"""

from pathlib import Path

import numpy as np

from harmonize_engine.files.atomic import atomic
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.files.tone_curves import colour_adjustments
from harmonize_engine.shading import Shading

steps = 65


def write(picture: LayeredPicture, path: Path) -> None:
    """Write tone curves and saturation as a 3D table of display-encoded values, red changing fastest.

    Raises HarmonizeError `unsupported_order`, and what `atomic` raises.
    """
    colours = _grid()
    for adjustment in colour_adjustments(picture):
        assert not isinstance(adjustment, Shading)
        colours = adjustment.apply(colours)
    rows = (f"{red:.6f} {green:.6f} {blue:.6f}\n" for red, green, blue in colours.tolist())
    header = f'TITLE "Harmonize"\nLUT_3D_SIZE {steps}\nDOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0\n'
    with atomic(path) as file:
        file.write((header + "".join(rows)).encode("ascii"))


def _grid() -> np.ndarray:
    """All colours of the table in the order of its rows: (steps^3, 3)."""
    axis = np.linspace(0, 1, steps)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return np.stack([red, green, blue], axis=-1).reshape(-1, 3)
