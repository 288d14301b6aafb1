"""What a layered file holds: the artist's picture and, above it, the adjustments."""

from dataclasses import dataclass

import numpy as np

from harmonize_engine.composite import Pixels, peak
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


def to_depth(values: Pixels, depth: type[np.uint8] | type[np.uint16] | type[np.float32]) -> Pixels:
    """Convert display-encoded values between 8 bit, 16 bit and float."""
    if values.dtype.type is depth:
        return values
    fraction = values.astype(np.float64) / peak(values)
    if depth is np.float32:
        return fraction.astype(depth)
    return np.rint(np.clip(fraction, 0, 1) * peak(np.empty(0, depth))).astype(depth)
