"""Where a cut-out lies on a picture: scaled, moved, cropped by the frame."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from harmonize_engine.composite import Pixels, Singles, peak
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.pictures.depth import as_depth

most_scale = 64.0


@dataclass(frozen=True)
class Placement:
    """Where the middle of a cut-out lies, in pixels from the picture's top left corner, and how much it is enlarged.

    at: (x, y), may lie outside the picture; None = its middle. Raises HarmonizeError `bad_scale`, `bad_place`.
    """

    at: tuple[float, float] | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.scale <= most_scale):
            raise HarmonizeError("bad_scale", f"The scale must lie above 0 and up to {most_scale:g}, not {self.scale:g}.")
        if self.at is not None and not all(math.isfinite(coordinate) for coordinate in self.at):
            raise HarmonizeError("bad_place", "The place of the cut-out must be two finite numbers of pixels.")

    def place(self, cutout: Pixels, canvas: Pixels) -> Pixels:
        """Lay a cut-out (h, w, 4) on an empty canvas of the size and depth of a picture: (H, W, 4), display-encoded.

        Unscaled samples of the same depth keep their exact values. Raises HarmonizeError `alpha_missing` for a cut-out
        without an alpha channel, `cutout_outside` where no pixel of it meets the picture, `cutout_too_large`.
        """
        if cutout.ndim != 3 or cutout.shape[2] != 4:
            raise HarmonizeError(
                "alpha_missing",
                "The cut-out has no transparency, so nothing tells its shape.",
                "Save it with an alpha channel (PNG, TIFF or WebP), or give the composite with --mask.",
            )
        height, width = canvas.shape[:2]
        size = self._size(cutout, (height, width))
        middle = self.at or (width / 2, height / 2)
        left, top = round(middle[0] - size[1] / 2), round(middle[1] - size[0] / 2)
        rows, columns = slice(max(0, top), min(height, top + size[0])), slice(max(0, left), min(width, left + size[1]))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            raise HarmonizeError(
                "cutout_outside",
                "The cut-out lies outside the picture.",
                f"Its middle goes to --at; the picture is {width}x{height} pixels.",
            )
        scaled = resize(cutout, size)
        part = scaled[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        placed = np.zeros((height, width, 4), canvas.dtype)
        placed[rows, columns] = as_depth(part, canvas.dtype)
        return placed

    def _size(self, cutout: Pixels, canvas: tuple[int, int]) -> tuple[int, int]:
        height, width = (max(1, round(side * self.scale)) for side in cutout.shape[:2])
        if self.scale > 1 and height * width > 16 * canvas[0] * canvas[1]:
            raise HarmonizeError(
                "cutout_too_large",
                f"At this scale the cut-out would be {width}x{height} pixels, far larger than the picture.",
                "Use a smaller --scale.",
            )
        return height, width


def resize(cutout: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize a cut-out (h, w, 4) to (height, width) in its own depth, display-encoded values.

    Lanczos on colours multiplied by alpha, so that what hides under transparent pixels cannot bleed into the edge.
    """
    if cutout.shape[:2] == size:
        return cutout
    alpha = cutout[..., 3].astype(np.float32) / np.float32(peak(cutout))
    new_alpha = _lanczos(alpha, size)  # rings a little beyond 1 and below 0, and the colours with it
    divisor = np.maximum(new_alpha, np.float32(1e-4))
    scaled = np.empty((*size, 4), np.float32)
    scaled[..., 3] = np.clip(new_alpha, 0, 1)
    for channel in range(3):
        colour = cutout[..., channel].astype(np.float32) / np.float32(peak(cutout))
        scaled[..., channel] = np.clip(_lanczos((colour * alpha).astype(np.float32), size) / divisor, 0, 1)
    return as_depth(scaled, cutout.dtype)


def _lanczos(plane: Singles, size: tuple[int, int]) -> Singles:
    resized = Image.fromarray(np.ascontiguousarray(plane)).resize((size[1], size[0]), Image.Resampling.LANCZOS)
    return np.asarray(resized)
