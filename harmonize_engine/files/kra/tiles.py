"""The pixels of one Krita layer or selection: tiles of 64 x 64, only those that hold anything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from harmonize_engine.composite import Pixels

edge = 64  # width and height of a tile


@dataclass(frozen=True, eq=False)
class TiledPixels:
    """Pixels that are asked for 64 rows at a time, so that no layer is ever whole in memory twice.

    rows(top, bottom) gives (bottom - top, width, C) in the depth and channel order that Krita has in memory;
    outside: (C,), the pixel of every place without a tile, also beyond the canvas.
    """

    width: int
    height: int
    rows: Callable[[int, int], Pixels]
    outside: Pixels

    @classmethod
    def everywhere(cls, outside: Pixels) -> "TiledPixels":
        """One pixel value without a bound, which takes no tile at all."""
        return cls(0, 0, lambda top, bottom: np.empty((bottom - top, 0, len(outside)), outside.dtype), outside)

    @property
    def largest_bytes(self) -> int:
        """How many bytes the tiles take when none can be left out."""
        across, down = -(-self.width // edge), -(-self.height // edge)
        return across * down * (edge * edge * self.outside.nbytes + 32)

    def write(self, stream: IO[bytes]) -> None:
        """Write the tiles as Krita's VERSION 2 with raw tiles; Krita itself packs them when it saves."""
        filled = [self._filled(tiles) for _, tiles in self._bands()]
        count = sum(int(band.sum()) for band in filled)
        header = f"VERSION 2\nTILEWIDTH {edge}\nTILEHEIGHT {edge}\nPIXELSIZE {self.outside.nbytes}\nDATA {count}\n"
        stream.write(header.encode())
        length = 1 + edge * edge * self.outside.nbytes
        for (top, tiles), present in zip(self._bands(), filled, strict=True):
            for column in np.flatnonzero(present):
                # The tile is not compressed (0): the zip file around it does that.
                stream.write(b"%d,%d,LZF,%d\n\0" % (column * edge, top, length) + tiles[:, column].tobytes())

    def _bands(self) -> Iterator[tuple[int, Pixels]]:
        return ((top, self._tiles(top)) for top in range(0, self.height, edge))

    def _tiles(self, top: int) -> Pixels:
        """One row of tiles, (64, tiles, 64, C); what lies beyond the canvas is `outside`."""
        rows = self.rows(top, min(top + edge, self.height))
        across = -(-self.width // edge)
        band = np.empty((edge, across * edge, len(self.outside)), self.outside.dtype)
        band[: len(rows), : self.width] = rows
        band[len(rows) :] = self.outside
        band[:, self.width :] = self.outside
        return band.reshape(edge, across, edge, len(self.outside))

    def _filled(self, tiles: Pixels) -> NDArray[np.bool_]:
        return (tiles != self.outside).any(axis=(0, 2, 3))
