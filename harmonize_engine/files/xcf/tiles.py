"""The pixels of an .xcf: tiles of 64x64, each compressed on its own."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

import numpy as np

from harmonize_engine.composite import Pixels, peak
from harmonize_engine.pictures.depth import as_depth
from harmonize_engine.shading import Shading, axis

side = 64  # pixels of a tile each way


@dataclass(frozen=True, eq=False)
class Plane:
    """Pixels made one band at a time, so that a large picture is never held twice.

    rows(top, bottom): (bottom - top, width, channels) of the type `dtype`; channels: 1 mask, 3 RGB, 4 RGBA.
    """

    width: int
    height: int
    channels: int
    dtype: np.dtype
    rows: Callable[[int, int], Pixels]

    @property
    def pixel_size(self) -> int:
        """Bytes of one pixel."""
        return self.channels * self.dtype.itemsize


def held(pixels: Pixels, like: Pixels) -> Plane:
    """Pixels that are there already, (H, W) or (H, W, C), converted to the depth of others band by band."""
    deep = pixels[..., None] if pixels.ndim == 2 else pixels
    height, width, channels = deep.shape
    depth = like.dtype.type
    return Plane(width, height, channels, like.dtype, lambda top, bottom: as_depth(deep[top:bottom], depth))


def filled(width: int, height: int, channels: int, dtype: np.dtype, value: int) -> Plane:
    """The same number everywhere."""

    def rows(top: int, bottom: int) -> Pixels:
        return np.full((bottom - top, width, channels), value, dtype)

    return Plane(width, height, channels, dtype, rows)


def white(width: int, height: int, channels: int, dtype: np.dtype) -> Plane:
    """White everywhere: a mask that lets everything through, a light that changes nothing."""
    return filled(width, height, channels, dtype, peak(np.empty(0, dtype)))


def light(shading: Shading | None, width: int, height: int, dtype: np.dtype, brighten: bool) -> Plane:
    """Grey values for a Multiply layer, min(gain, 1), or for a Divide layer that brightens, 1 / max(gain, 1).

    The gains are up-sampled as Shading.upsample does; without a shading everything is white, "unchanged".
    """
    if shading is None:
        return white(width, height, 3, dtype)
    full = peak(np.empty(0, dtype))
    across, down = axis(shading.gain.shape[1], width), axis(shading.gain.shape[0], height)
    wide = shading.gain[:, across.left] + across.share * (shading.gain[:, across.right] - shading.gain[:, across.left])

    def rows(top: int, bottom: int) -> Pixels:
        above, below = wide[down.left[top:bottom]], wide[down.right[top:bottom]]
        gain = above + down.share[top:bottom, None] * (below - above)
        grey = full * (1 / np.maximum(gain, 1) if brighten else np.minimum(gain, 1))
        if dtype != np.float32:
            grey = np.rint(grey)
        return np.repeat(grey.astype(dtype)[..., None], 3, axis=-1)

    return Plane(width, height, 3, dtype, rows)


def write_plane(file: IO[bytes], plane: Plane) -> None:
    """Write a hierarchy of one level at the end of the file: sizes, the tiles' offsets, then the tiles."""
    across, down = -(-plane.width // side), -(-plane.height // side)
    level = file.tell() + 28
    file.write(struct.pack(">3I2Q", plane.width, plane.height, plane.pixel_size, level, 0))
    file.write(struct.pack(">2I", plane.width, plane.height))
    table = file.tell()
    file.write(bytes(8 * (across * down + 1)))
    offsets: list[int] = []
    big_endian = plane.dtype.newbyteorder(">")
    for top in range(0, plane.height, side):
        band = plane.rows(top, min(top + side, plane.height)).astype(big_endian, copy=False)
        for left in range(0, plane.width, side):
            offsets.append(file.tell())
            file.write(compressed(band[:, left : left + side].tobytes()))
    end = file.tell()
    file.seek(table)
    file.write(struct.pack(f">{len(offsets)}Q", *offsets))
    file.seek(end)


@lru_cache(maxsize=8)  # plain areas repeat one tile
def compressed(tile: bytes) -> bytes:
    """One tile as GIMP stores it."""
    return zlib.compress(tile, 2)
