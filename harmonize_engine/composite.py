"""The composite: what a model looks at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harmonize_engine.errors import HarmonizeError

Pixels = NDArray[np.uint8 | np.uint16 | np.float32]
Singles = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Composite:
    """A picture with something pasted into it, display-encoded RGB in [0,1].

    image: (H, W, 3); mask: (H, W) in [0,1], 1 = foreground; background: the clean plate (H, W, 3), if there is one;
    reference: (H, W) in [0,1], which part of the background to match, everything outside the mask by default.
    """

    image: Singles
    mask: Singles
    background: Singles | None = None
    reference: Singles | None = None

    def __post_init__(self) -> None:
        size = self.image.shape[:2]
        for name, plane in (
            ("mask", self.mask),
            ("background", self.background),
            ("reference mask", self.reference),
        ):
            if plane is not None and plane.shape[:2] != size:
                raise HarmonizeError(
                    f"{name.split()[0]}_size",
                    f"The {name} is {plane.shape[1]}x{plane.shape[0]} pixels, the picture {size[1]}x{size[0]}.",
                    f"Give a {name} of the picture's size.",
                )
        _refuse_unusable_mask(self.mask)


def _refuse_unusable_mask(mask: Singles) -> None:
    if mask.max(initial=0.0) < 1 / 255:
        raise HarmonizeError(
            "mask_empty",
            "The mask is empty: nothing is marked as foreground.",
            "Paint the pasted part white.",
        )
    if mask.min() > 254 / 255:
        raise HarmonizeError(
            "mask_full",
            "The mask covers the whole picture: nothing is left to match to.",
            "Leave the background black.",
        )


def peak(pixels: Pixels) -> int:
    """Tell the number that stands for white: 255, 65535, or 1 for floats."""
    return {np.uint8: 255, np.uint16: 65535}.get(pixels.dtype.type, 1)


def unit(pixels: Pixels) -> Singles:
    """Scale 8-bit, 16-bit or float values to [0,1] floats."""
    return np.clip(pixels.astype(np.float32) / np.float32(peak(pixels)), 0, 1)


def proxy(
    image: Pixels,
    mask: Pixels,
    background: Pixels | None = None,
    reference: Pixels | None = None,
    long_side: int = 512,
) -> Composite:
    """Shrink a full-size picture to what a model looks at: at most `long_side` pixels, each the mean of those it covers."""
    height, width = image.shape[:2]
    share = min(1.0, long_side / max(height, width))
    size = (max(1, round(height * share)), max(1, round(width * share)))

    def small(plane: Pixels | None) -> Singles | None:
        return None if plane is None else shrink(plane, size)

    colour = small(image[..., :3])
    matte = small(mask)
    assert colour is not None and matte is not None
    return Composite(colour, matte, small(None if background is None else background[..., :3]), small(reference))


def shrink(plane: Pixels, size: tuple[int, int]) -> Singles:
    """Resize (H, W) or (H, W, C) to (height, width) by averaging, as floats in [0,1].

    Far larger pictures are first thinned by whole blocks, so that the cost hardly grows with the canvas.
    """
    block = max(1, min(plane.shape[0] // (2 * size[0]), plane.shape[1] // (2 * size[1])))
    if block > 1:
        plane = plane[: plane.shape[0] // block * block, : plane.shape[1] // block * block]
        tall = plane.reshape(plane.shape[0] // block, block, *plane.shape[1:]).mean(1, dtype=np.float32)
        wide = tall.reshape(tall.shape[0], tall.shape[1] // block, block, *plane.shape[2:]).mean(2)
        plane = np.clip(wide / np.float32(peak(plane)), 0, 1)
    values = unit(plane)
    if values.shape[:2] == size:
        return values
    channels = values[..., None] if values.ndim == 2 else values
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(channels[..., c])).resize(size[::-1], Image.Resampling.BOX))
        for c in range(channels.shape[-1])
    ]
    return planes[0] if values.ndim == 2 else np.stack(planes, axis=-1)
