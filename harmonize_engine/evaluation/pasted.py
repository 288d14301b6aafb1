"""Real composites: the foreground of one photograph pasted onto another, as people do it. Nobody knows the truth.

What an entrant makes of them is told by a judge's harmony score, by how far the foreground's colours are from those around
it, and by looking.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from harmonize_engine.composite import Pixels
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation.photographs import Pair, Source, opened
from harmonize_engine.evaluation.scene import Scene, resized

group = "pasted"
widest, tallest, largest = 0.5, 0.7, 0.15  # of the photograph: a cut-out's width, height and area at most
most_enlarged = 1.5
columns = np.linspace(0, 1, 9)  # where it may stand, from left to right
rows = np.linspace(0.5, 1, 4)  # and from the middle to the lower border


@dataclass(frozen=True)
class PastedEntry:
    """A cut-out on a photograph, pasted when it is needed. pair: the photograph; cut_out: what is pasted."""

    folder: Path
    pair: Pair
    cut_out: Pair

    @property
    def group(self) -> str:
        """The protocol's name."""
        return group

    @property
    def name(self) -> str:
        """The id of the photograph that is pasted on."""
        return self.pair.id

    def scene(self) -> Scene:
        """Paste."""
        source = opened(self.folder)
        composite, mask = pasted(*_read(source, self.pair), *_read(source, self.cut_out))
        return Scene(self.group, self.name, composite, mask, None, group)

    def sources(self) -> Mapping[str, str]:
        """SHA-256 of both photographs and masks."""
        source = opened(self.folder)
        files = {"image": self.pair.image, "mask": self.pair.mask}
        files |= {"other_image": self.cut_out.image, "other_mask": self.cut_out.mask}
        return {what: hashlib.sha256(source.content(name)).hexdigest() for what, name in files.items()}


def _read(source: Source, pair: Pair) -> tuple[Pixels, Pixels]:
    image = source.read(pair.image).convert("RGB")
    return np.asarray(image), resized(source.read(pair.mask).convert("L"), image.size, Image.Resampling.BILINEAR)


def pasted(photograph: Pixels, own_mask: Pixels, picture: Pixels, mask: Pixels) -> tuple[Pixels, Pixels]:
    """Paste the foreground of `picture` where it covers least of the photograph's own: the composite and its mask.

    (H, W, 3) and (H, W), 8-bit. It is shrunk to a plausible size; what its photograph cut off below stands on the lower
    border. Raises HarmonizeError `mask_empty`.
    """
    cut_off = bool((mask[-2:] > 127).any())
    picture, mask = _cropped(picture, mask)
    height, width = own_mask.shape
    share = min(
        widest * width / mask.shape[1],
        tallest * height / mask.shape[0],
        (largest * height * width / (float(mask.sum()) / 255)) ** 0.5,
        most_enlarged,
    )
    size = max(1, round(mask.shape[1] * share)), max(1, round(mask.shape[0] * share))
    sampling = Image.Resampling.LANCZOS
    cut_out, alpha = resized(Image.fromarray(picture), size, sampling), resized(Image.fromarray(mask), size, sampling)
    top, left = _place(own_mask, alpha, cut_off)
    covered = np.s_[top : top + size[1], left : left + size[0]]
    placed = np.zeros_like(own_mask)
    placed[covered] = alpha
    composite = photograph.copy()
    weight = alpha[..., None] / np.float32(255)
    composite[covered] = np.rint(photograph[covered] * (1 - weight) + cut_out * weight)
    return composite, placed


def _cropped(picture: Pixels, mask: Pixels) -> tuple[Pixels, Pixels]:
    """The box of a foreground; what is hardly marked counts for nothing."""
    mask = np.where(mask > 16, mask, np.uint8(0))
    if not mask.any():
        raise HarmonizeError("mask_empty", "The mask of a cut-out is empty.", "Leave it out, or paint it.")
    down, across = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.s_[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    return np.ascontiguousarray(picture[box]), np.ascontiguousarray(mask[box])


def _place(own_mask: Pixels, alpha: Pixels, cut_off: bool) -> tuple[int, int]:
    """Upper left corner of the place that covers least of the photograph's own foreground, the lowest of several."""
    height, width = alpha.shape
    free_down, free_across = own_mask.shape[0] - height, own_mask.shape[1] - width
    solid = alpha > 127
    found: list[tuple[int, int, int]] = []
    for row in (rows[-1:] if cut_off else rows)[::-1]:
        for column in columns:
            top, left = round(row * free_down), round(column * free_across)
            hidden = own_mask[top : top + height, left : left + width] > 127
            found.append((int((hidden & solid).sum()), top, left))
    _, top, left = min(found, key=lambda place: place[0])
    return top, left
