"""Small layered pictures for the tests of the writers."""

import numpy as np

from harmonize_engine.curves import Curves
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.harmonization import Adjustment, Harmonization
from harmonize_engine.render import render
from harmonize_engine.shading import Shading

levels = np.linspace(0, 1, 33)
warm = Curves.uniform([levels**0.8, levels, levels**1.3])
flat = Curves(np.array([0, 0.31, 1]), np.array([[0.1, 0.4, 0.9]] * 3))
light = Shading(np.array([[0.7, 1.0], [1.1, 1.4]]))
height, width = 24, 40


def layered(*adjustments: Adjustment, depth: type = np.uint8, cutout: bool = False, **options: object) -> LayeredPicture:
    """A noisy picture with a soft round mask; with a cut-out the pasted part has colours of its own."""
    random = np.random.default_rng(5)
    peak = 1 if depth == np.float32 else np.iinfo(depth).max
    across, down = np.linspace(-1, 1, width), np.linspace(-1, 1, height)[:, None]
    mask = np.clip(3 - 4 * np.hypot(across, down), 0, 1)
    background, pasted = ((random.random((height, width, 3)) * peak).astype(depth) for _ in range(2))
    matte = np.round(mask * peak).astype(depth)
    harmonization = Harmonization(adjustments, "test", "1")
    source = pasted if cutout else None
    return LayeredPicture(
        background,
        matte,
        harmonization,
        render(background, matte, harmonization, source=source),
        np.dstack([pasted, matte]) if cutout else None,
        **options,  # type: ignore[arg-type]
    )
