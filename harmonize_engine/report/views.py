"""The pictures of a report: shrunk to be looked at, and the light map in colours."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from harmonize_engine.composite import Pixels, shrink
from harmonize_engine.curves import Floats
from harmonize_engine.shading import Shading

darkened, unchanged, brightened = (38, 84, 160), (226, 224, 218), (214, 120, 16)  # sRGB
least_range = 0.1  # of gain: a light map that does next to nothing must not look dramatic


def view(pixels: Pixels, size: tuple[int, int]) -> Image.Image:
    """Shrink display-encoded pixels, (H, W) or (H, W, 3|4), to (height, width) as an 8-bit picture without alpha."""
    plane = pixels if pixels.ndim == 2 else pixels[..., :3]
    return Image.fromarray(np.rint(shrink(plane, size) * 255).astype(np.uint8))


def fitted(shape: tuple[int, ...], box: tuple[int, int]) -> tuple[int, int]:
    """The size (height, width) of a picture shrunk into a box (height, width); never enlarged."""
    share = min(1.0, box[0] / shape[0], box[1] / shape[1])
    return max(1, round(shape[0] * share)), max(1, round(shape[1] * share))


@dataclass(frozen=True, eq=False)
class LightView:
    """A light map as a picture: blue where it darkens, amber where it brightens, the rest of the picture faint."""

    image: Image.Image
    reach: float  # the change of gain that has the full colour

    @classmethod
    def paint(cls, shading: Shading, before: Pixels, mask: Pixels, size: tuple[int, int]) -> "LightView":
        """Colour the gains under the mask at (height, width); before: (H, W, 3|4), mask: (H, W)."""
        change = shading.upsample(*size) - 1
        m = shrink(mask, size).astype(np.float64)
        inside = np.abs(change[m > 0.05])
        reach = max(least_range, float(np.ceil(inside.max() * 20) / 20) if inside.size else 0)
        luma = shrink(before[..., :3], size) @ np.array([0.299, 0.587, 0.114])
        faint = np.repeat((0.80 + 0.17 * luma)[..., None], 3, axis=-1)
        shown = faint * (1 - m[..., None]) + m[..., None] * colour(change / reach) * (0.88 + 0.12 * luma[..., None])
        return cls(Image.fromarray(np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)), reach)


def colour(change: Floats) -> Floats:
    """Colours (..., 3) in [0,1] for changes in [-1,1]: darkened, unchanged, brightened."""
    ends = np.array([darkened, unchanged, brightened]) / 255
    return np.stack([np.interp(change, [-1, 0, 1], ends[:, c]) for c in range(3)], axis=-1)
