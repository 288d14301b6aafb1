"""What a layered file holds: the artist's picture and, above it, the adjustments."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harmonize_engine.composite import Pixels
from harmonize_engine.harmonization import Harmonization


@dataclass(frozen=True, eq=False)
class LayeredPicture:
    """A picture, its foreground, and the Harmonization to show as native layers; display-encoded values.

    pixels: (H, W, 3|4) uint8, uint16 or float32: the flat composite, or the background where a cut-out is given.
    mask: (H, W) of any of these types: the foreground; with a cut-out its alpha on the canvas.
    cutout: (H, W, 4), the pasted part on its own, placed on the canvas; None for a flat picture.
    result: (H, W, 3|4), the rendered picture, for the thumbnails and flat copies that some files carry.
    """

    pixels: Pixels
    mask: Pixels
    harmonization: Harmonization
    result: Pixels
    cutout: Pixels | None = None
    color_strength: float = 1.0
    light_strength: float = 1.0
    visible: bool = True  # False: the group is written switched off
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


def to_depth(values: Pixels, dtype: np.dtype) -> Pixels:
    """Convert display-encoded values between 8 bit, 16 bit and float."""
    if values.dtype == dtype:
        return values
    peaks = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}
    unit: NDArray[np.float64] = values.astype(np.float64) / peaks.get(values.dtype, 1.0)
    peak = peaks.get(dtype)
    return unit.astype(np.float32) if peak is None else np.rint(np.clip(unit, 0, 1) * peak).astype(dtype)
