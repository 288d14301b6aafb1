"""Shading: a small map of gains that multiply display-encoded values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harmonize_engine.curves import Floats
from harmonize_engine.errors import HarmonizeError

step = 1 / 16384  # gains are kept on this grid, so that 16 bits hold 0 .. 4 and 1 exactly
largest = 65535 * step


@dataclass(frozen=True, eq=False)
class Shading:
    """A low-resolution gain map that covers the whole picture: 1 = unchanged, below darkens, above brightens.

    gain: (h, w), rounded to multiples of 1/16384, each in (0, 4). Cells are pixels: the map is up-sampled bilinearly
    with half-pixel centres and its border is repeated. Raises HarmonizeError `bad_shading` for anything else.
    """

    gain: Floats

    def __post_init__(self) -> None:
        given = np.asarray(self.gain, np.float64)
        if given.ndim != 2 or not given.size or max(given.shape) > 512:
            raise HarmonizeError("bad_shading", f"A light map needs (h, w) numbers, 1 to 512 each way, not {given.shape}.")
        if not np.isfinite(given).all() or given.min() < step or given.max() > largest:
            raise HarmonizeError("bad_shading", "The gains of a light map must lie between 0 and 4.")
        gain = np.round(given / step) * step
        gain.setflags(write=False)
        object.__setattr__(self, "gain", gain)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shading) and np.array_equal(self.gain, other.gain)

    @property
    def is_identity(self) -> bool:
        """Whether every gain is 1."""
        return bool((self.gain == 1).all())

    @property
    def brightens(self) -> bool:
        """Whether some gain is above 1, so that a host needs its Divide layer."""
        return bool((self.gain > 1).any())

    def upsample(self, height: int, width: int) -> Floats:
        """Spread the gains over a picture, (height, width), bilinear with half-pixel centres."""
        rows, columns = axis(self.gain.shape[0], height), axis(self.gain.shape[1], width)
        tall = self.gain[rows.left] + rows.share[:, None] * (self.gain[rows.right] - self.gain[rows.left])
        return tall[:, columns.left] + columns.share * (tall[:, columns.right] - tall[:, columns.left])

    def blend(self, strength: float) -> "Shading":
        """Mix with "unchanged": 1 + strength * (gain - 1); what the opacity of a Multiply or Divide layer does."""
        return Shading(1 + strength * (self.gain - 1)) if strength != 1 else self


@dataclass(frozen=True)
class Axis:
    """Where each full-size pixel of one axis lies between two cells of the map."""

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    share: Floats  # of the right cell, [0,1)


def axis(cells: int, pixels: int) -> Axis:
    """Place `pixels` pixel centres between `cells` cell centres."""
    place = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    left = np.minimum(place.astype(np.intp), max(cells - 2, 0))
    return Axis(left, np.minimum(left + 1, cells - 1), place - left)


def from_gain(gain: ArrayLike) -> Shading:
    """Make a Shading of any positive gains, clipped to what it can hold."""
    return Shading(np.clip(np.asarray(gain, np.float64), step, largest))
