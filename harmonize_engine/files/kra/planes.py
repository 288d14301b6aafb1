"""What the layers and masks of a .kra show, in the depth and channel order that Krita has in memory.

Integers are stored blue, green, red, alpha; floats red, green, blue, alpha; all display-encoded.
"""

from collections.abc import Callable

import numpy as np

from harmonize_engine.composite import Pixels, peak
from harmonize_engine.curves import Floats
from harmonize_engine.files.kra.tiles import TiledPixels
from harmonize_engine.pictures.depth import as_depth
from harmonize_engine.shading import Shading, axis

Depth = type[np.uint8] | type[np.uint16] | type[np.float32]


def coloured(pixels: Pixels, depth: Depth) -> TiledPixels:
    """A paint layer of (H, W, 3|4) pixels; without an alpha channel they are opaque."""
    height, width, channels = pixels.shape
    order = [0, 1, 2] if depth is np.float32 else [2, 1, 0]

    def rows(top: int, bottom: int) -> Pixels:
        band = np.empty((bottom - top, width, 4), depth)
        band[..., :3] = as_depth(pixels[top:bottom][..., order], depth)
        band[..., 3] = as_depth(pixels[top:bottom, :, 3], depth) if channels == 4 else _white(depth)
        return band

    return TiledPixels(width, height, rows, np.zeros(4, depth))


def covered(mask: Pixels) -> TiledPixels:
    """The selection of a mask (H, W): Krita keeps 8 bits of it in every depth."""
    height, width = mask.shape

    def rows(top: int, bottom: int) -> Pixels:
        return as_depth(mask[top:bottom], np.uint8)[..., None]

    return TiledPixels(width, height, rows, np.zeros(1, np.uint8))


def grey(value: float, depth: Depth) -> TiledPixels:
    """A paint layer of one opaque grey everywhere, without a bound."""
    return TiledPixels.everywhere(np.array([value, value, value, _white(depth)], depth))


def light(shading: Shading, width: int, height: int, depth: Depth, shown: Callable[[Floats], Floats]) -> TiledPixels:
    """A grey paint layer at full size that shows the gains by `shown`, 1 = white."""
    across, down = axis(shading.gain.shape[1], width), axis(shading.gain.shape[0], height)
    white = _white(depth)

    def rows(top: int, bottom: int) -> Pixels:
        low, high = shading.gain[down.left[top:bottom]], shading.gain[down.right[top:bottom]]
        tall = low + down.share[top:bottom, None] * (high - low)
        gain = tall[:, across.left] + across.share * (tall[:, across.right] - tall[:, across.left])
        band = np.full((bottom - top, width, 4), white, depth)
        values = shown(gain) * white
        band[..., :3] = (values if white == 1 else np.rint(values))[..., None]
        return band

    return TiledPixels(width, height, rows, np.full(4, white, depth))


def _white(depth: Depth) -> int:
    return peak(np.empty(0, depth))
