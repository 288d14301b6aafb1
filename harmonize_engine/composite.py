"""The composite: what a model looks at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harmonize_engine.errors import HarmonizeError

Pixels = NDArray[np.uint8 | np.uint16 | np.float32]
Singles = NDArray[np.float32]


smallest_side = 16  # pixels
smallest_foreground = 16  # pixels
most_elongated = 20  # times as long as wide


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
        planes = {"mask": self.mask, "background": self.background, "reference mask": self.reference}
        for name, plane in planes.items():
            if plane is not None and plane.shape[:2] != self.image.shape[:2]:
                raise other_size(name, plane, self.image)

    @property
    def to_match(self) -> tuple[Singles, Singles]:
        """What the foreground is to match, (H, W, 3), and the weight of each of its pixels, (H, W).

        Of the clean plate all counts, without one what is visible around the foreground; a reference mask decides first.
        """
        plate = self.image if self.background is None else self.background
        if self.reference is not None:
            return plate, self.reference
        return plate, 1 - self.mask if self.background is None else np.ones_like(self.mask)

    def in_floats(self) -> "Composite":
        """Make floats in [0,1] of planes that wait as bytes, as the server's do."""
        return self.resized(*self.mask.shape)

    def resized(self, height: int, width: int) -> "Composite":
        """Resize every plane, averaging; floats, whatever they were."""
        planes = (self.image, self.mask, self.background, self.reference)
        image, mask, *others = (None if plane is None else shrink(plane, (height, width)) for plane in planes)
        assert image is not None and mask is not None
        return Composite(image, mask, *others)

    def shrunk(self, long_side: int) -> "Composite":
        """Resize to at most `long_side` pixels."""
        height, width = self.mask.shape
        share = min(1.0, long_side / max(height, width))
        return self.resized(max(1, round(height * share)), max(1, round(width * share)))


def peak(pixels: Pixels) -> int:
    """Tell the number that stands for white: 255, 65535, or 1 for floats."""
    return 255 if pixels.dtype == np.uint8 else 65535 if pixels.dtype == np.uint16 else 1


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
    """Shrink a full-size picture to what a model looks at: at most `long_side` pixels, each the mean of those it covers.

    image, background: (H, W, 3|4); mask, reference: (H, W); uint8, uint16 or display-encoded floats in [0,1]. Raises
    HarmonizeError for sizes that differ, for a picture too small or too narrow to be seen, and for a mask that marks
    nothing, everything or next to nothing.
    """
    height, width = image.shape[:2]
    _refuse_unseeable(height, width)
    for name, plane in {"mask": mask, "background": background, "reference mask": reference}.items():
        if plane is not None and plane.shape[:2] != (height, width):
            raise other_size(name, plane, image)
    _refuse_unusable_mask(mask)
    share = min(1.0, long_side / max(height, width))
    size = (max(1, round(height * share)), max(1, round(width * share)))
    return Composite(
        shrink(image[..., :3], size),
        shrink(mask, size),
        None if background is None else shrink(background[..., :3], size),
        None if reference is None else shrink(reference, size),
    )


def other_size(name: str, plane: Pixels, image: Pixels) -> HarmonizeError:
    """Say that a plane has not the picture's size."""
    return HarmonizeError(
        f"{name.split()[0]}_size",
        f"The {name} is {plane.shape[1]}x{plane.shape[0]} pixels, the picture {image.shape[1]}x{image.shape[0]}.",
        f"Give a {name} of the picture's size.",
    )


def _refuse_unseeable(height: int, width: int) -> None:
    if min(height, width) < smallest_side:
        raise HarmonizeError(
            "picture_too_small",
            f"The picture is {width}x{height} pixels: too small to tell foreground from background.",
            f"Use one of at least {smallest_side} pixels each way.",
        )
    if max(height, width) > most_elongated * min(height, width):
        raise HarmonizeError(
            "picture_too_narrow",
            f"The picture is {width}x{height} pixels: too long and narrow to be looked at as a whole.",
            f"Crop it around the foreground, to at most {most_elongated} times as long as wide.",
        )


def _refuse_unusable_mask(mask: Pixels) -> None:
    marked = np.count_nonzero(mask > peak(mask) / 2)
    if not marked:
        raise HarmonizeError(
            "mask_empty", "The mask is empty: nothing is marked as foreground.", "Paint the pasted part white in it."
        )
    if marked < smallest_foreground:
        raise HarmonizeError(
            "mask_tiny",
            f"The mask marks only {marked} pixel{'s' if marked > 1 else ''}: too little to harmonize.",
            f"Mark a foreground of at least {smallest_foreground} pixels.",
        )
    if marked > mask.size - smallest_foreground:
        raise HarmonizeError(
            "mask_full",
            "The mask covers the whole picture: nothing is left to match to.",
            "Leave the background black in it.",
        )


def shrink(plane: Pixels, size: tuple[int, int]) -> Singles:
    """Resize (H, W) or (H, W, C) to (height, width) by averaging, as floats in [0,1].

    Far larger pictures are first thinned by whole blocks, so that the cost hardly grows with the canvas.
    """
    block = max(1, min(plane.shape[0] // (2 * size[0]), plane.shape[1] // (2 * size[1])))
    if block > 1:
        plane = np.clip(_block_means(plane, block) / np.float32(peak(plane)), 0, 1)
    values = unit(plane)
    if values.shape[:2] == size:
        return values
    channels = values[..., None] if values.ndim == 2 else values
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(channels[..., c])).resize((size[1], size[0]), Image.Resampling.BOX))
        for c in range(channels.shape[-1])
    ]
    return planes[0] if values.ndim == 2 else np.stack(planes, axis=-1)


def _block_means(plane: Pixels, block: int) -> Singles:
    """Average whole blocks. Summing every block-th row, then column, is twice as fast as reshaping and taking means."""
    plane = plane[: plane.shape[0] // block * block, : plane.shape[1] // block * block]
    tall: Singles = np.zeros((plane.shape[0] // block, *plane.shape[1:]), np.float32)
    for row in range(block):
        tall += plane[row::block]
    wide: Singles = np.zeros((tall.shape[0], tall.shape[1] // block, *plane.shape[2:]), np.float32)
    for column in range(block):
        wide += tall[:, column::block]
    return wide / np.float32(block**2)
