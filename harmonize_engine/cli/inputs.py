"""Reading what a run needs, with every check that can be made before anything is computed or written."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from harmonize_engine import pictures
from harmonize_engine.cli.settings import Settings
from harmonize_engine.composite import Composite, Pixels, peak, proxy, shrink
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.pictures import Picture
from harmonize_engine.pictures.depth import as_depth
from harmonize_engine.placement import Placement
from harmonize_engine.render import render


@dataclass(frozen=True, eq=False)
class Inputs:
    """A picture with its foreground, display-encoded.

    picture: the flat composite, or the background where a cut-out (H, W, 4) is given; before: how it looks unharmonized.
    mask: (H, W); seen: what a model looks at, if one does; notes: sentences on what was converted.
    """

    picture: Picture
    before: Pixels
    mask: Pixels
    seen: Composite | None = None
    cutout: Pixels | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sources:
    """The files of one flat composite."""

    composite: Path
    mask: Path
    background: Path | None = None
    reference: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files that are given."""
        return tuple(p for p in (self.composite, self.mask, self.background, self.reference) if p is not None)

    def read(self, settings: Settings) -> Inputs:
        """Read and check them. Raises HarmonizeError for whatever cannot be used."""
        notes: list[str] = []
        picture = read_picture(self.composite, settings, notes)
        size = picture.pixels.shape[:2]
        mask = read_mask(self.mask, size, settings, notes)
        background = None if self.background is None else read_picture(self.background, settings, notes).pixels
        reference = _reference(self.reference, size, settings, notes)
        seen = proxy(picture.pixels, mask, background, reference)
        if not settings.allow_border:
            refuse_borders(mask)
        return Inputs(picture, picture.pixels, mask, seen, notes=tuple(notes))


@dataclass(frozen=True)
class CutoutSources:
    """The files of a cut-out and the picture it goes on, and where it goes."""

    cutout: Path
    background: Path
    placement: Placement
    reference: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files that are given."""
        return tuple(p for p in (self.cutout, self.background, self.reference) if p is not None)

    def read(self, settings: Settings) -> Inputs:
        """Read, place and check them. The result has the background's depth and colour profile."""
        notes: list[str] = []
        cutout = read_picture(self.cutout, settings, notes)
        picture = read_picture(self.background, settings, notes)
        if cutout.icc != picture.icc and cutout.icc is not None:
            notes.append("The cut-out's colour profile differs from the picture's; its values were used as they are.")
        placed = self.placement.place(cutout.pixels, picture.pixels)
        mask = np.ascontiguousarray(placed[..., 3])
        if mask.dtype == np.float32:
            mask = np.clip(mask, 0, 1)
        unchanged = Harmonization((), "", "")
        before = render(picture.pixels, mask, unchanged, source=placed)
        reference = _reference(self.reference, mask.shape, settings, notes)
        return Inputs(
            picture, before, mask, proxy(before, mask, picture.pixels, reference), cutout=placed, notes=tuple(notes)
        )


def read_picture(path: Path, settings: Settings, notes: list[str]) -> Picture:
    """Read a picture; what was converted is added to the notes."""
    try:
        picture = pictures.read(path, settings.max_megapixels)
    except HarmonizeError as error:
        raise _with_option(error) from error
    notes.extend(f"{path.name}: {note}" for note in picture.notes)
    return replace(picture, pixels=np.clip(picture.pixels, 0, 1)) if _beyond(picture.pixels, path, notes) else picture


def _beyond(pixels: Pixels, path: Path, notes: list[str]) -> bool:
    if pixels.dtype != np.float32 or (pixels.min() >= 0 and pixels.max() <= 1):
        return False
    notes.append(f"{path.name}: Values beyond 0..1 were clipped.")
    return True


def read_mask(path: Path, size: tuple[int, ...], settings: Settings, notes: list[str], what: str = "mask") -> Pixels:
    """Read a mask (H, W) of a picture of that size, turned round and resized where the settings ask for it.

    Raises HarmonizeError `mask_size` (with `what`: `reference_size`), and what reading raises.
    """
    remarks: list[str] = []
    try:
        mask = pictures.read_mask(path, settings.max_megapixels, remarks)
    except HarmonizeError as error:
        raise _with_option(error) from error
    notes.extend(f"{path.name}: {remark}" for remark in remarks)
    if mask.dtype == np.float32:
        mask = np.clip(mask, 0, 1)
    if mask.shape != tuple(size[:2]):
        mask = _resized(mask, (size[0], size[1]), settings, notes, what)
    return (peak(mask) - mask).astype(mask.dtype) if settings.invert_mask else mask


def _reference(path: Path | None, size: tuple[int, ...], settings: Settings, notes: list[str]) -> Pixels | None:
    if path is None:
        return None
    return read_mask(path, size, replace(settings, invert_mask=False), notes, "reference mask")


def _resized(mask: Pixels, size: tuple[int, int], settings: Settings, notes: list[str], what: str) -> Pixels:
    given, wanted = f"{mask.shape[1]}x{mask.shape[0]}", f"{size[1]}x{size[0]}"
    if not settings.fit_mask:
        raise HarmonizeError(
            f"{what.split()[0]}_size",
            f"The {what} is {given} pixels, the picture {wanted}.",
            f"Give a {what} of the picture's size, or resize it with --fit-mask.",
        )
    if abs(mask.shape[0] * size[1] - mask.shape[1] * size[0]) > 0.02 * mask.shape[1] * size[0]:
        notes.append(f"The {what} was stretched from {given} to {wanted}: its shape is not the picture's.")
    if mask.shape[0] >= size[0] and mask.shape[1] >= size[1]:
        return as_depth(shrink(mask, size), mask.dtype)
    plane = Image.fromarray(mask.astype(np.float32) / np.float32(peak(mask)))
    larger = np.asarray(plane.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    return as_depth(np.clip(larger, 0, 1), mask.dtype)


def refuse_borders(mask: Pixels) -> None:
    """Raise HarmonizeError `mask_touches_borders` for a mask that reaches all four borders: most likely turned round."""
    marked = mask > peak(mask) / 2
    if not all(edge.any() for edge in (marked[0], marked[-1], marked[:, 0], marked[:, -1])):
        return
    share = float(np.count_nonzero(marked) / marked.size)
    looks = "it looks inverted" if share > 0.5 else "it looks inverted, or the foreground fills the frame"
    raise HarmonizeError(
        "mask_touches_borders",
        f"The mask touches all four borders and covers {share:.0%} of the picture: {looks}.",
        "Turn it round with --invert-mask, or use it as it is with --allow-border.",
    )


def _with_option(error: HarmonizeError) -> HarmonizeError:
    if error.code != "picture_too_large":
        return error
    return HarmonizeError(error.code, error.message, "Raise the limit with --max-megapixels.")
