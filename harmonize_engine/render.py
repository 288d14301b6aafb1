"""The reference renderer, the truth every host is tested against.

out = C * (1 - m) + m * clip(adjusted(C), 0, 1), display-encoded values, no linearisation: C the composite, m the soft mask,
`adjusted` curves, saturation and shading in the order of the Harmonization. All arithmetic is float64, band by band, only
where the mask is not 0; outside it the output is the input, bit for bit.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harmonize_engine.composite import Pixels, other_size, peak
from harmonize_engine.curves import Curves, Floats
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Axis, Shading, axis

depths = (np.uint8, np.uint16, np.float32)
band_pixels = 1 << 16  # small enough that a band's numbers stay in the processor's cache


def render(
    pixels: Pixels,
    mask: Pixels,
    harmonization: Harmonization,
    color_strength: float = 1.0,
    light_strength: float = 1.0,
    source: Pixels | None = None,
) -> Pixels:
    """Render a Harmonization at full size, display-encoded values, in the depth of the picture.

    pixels: (H, W, 3|4) uint8, uint16 or float32 in [0,1]; an alpha channel is kept as it is. mask: (H, W) of any of these.
    source: the pasted part's own colours on the canvas, (H, W, 3|4) of the same type; then `pixels` is the background and
    out = pixels * (1 - m) + m * clip(adjusted(source), 0, 1). Strengths 0..1; both 0 return the input, bit for bit.
    Rounds to nearest. Raises HarmonizeError `bad_strength`, `mask_size`, `bad_picture`.
    """
    _refuse_unusable(pixels, mask, source)
    weakened = harmonization.blend(color_strength, light_strength)
    out = pixels.copy(order="C")
    if source is None and weakened.is_identity:
        return out
    if not any(bounds := _bounds(mask)):
        return out
    top, bottom, left, right = bounds
    pixels = np.ascontiguousarray(pixels)
    colours = pixels if source is None else np.ascontiguousarray(source)
    job = _Job.prepare(pixels, colours, mask, weakened, (left, right), out)
    rows = max(1, band_pixels // (right - left))
    bands = [(row, min(row + rows, bottom)) for row in range(top, bottom, rows)]
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8, len(bands))) as pool:
        for _ in pool.map(job.render_band, bands):
            pass
    return out


def _refuse_unusable(pixels: Pixels, mask: Pixels, source: Pixels | None) -> None:
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or pixels.dtype.type not in depths:
        raise HarmonizeError(
            "bad_picture", f"Cannot render a picture of shape {pixels.shape} and type {pixels.dtype}.", "Use RGB or RGBA."
        )
    for name, plane in (("mask", mask), ("source", source)):
        if plane is not None and plane.shape[:2] != pixels.shape[:2]:
            raise other_size(name, plane, pixels)


def _bounds(mask: Pixels) -> tuple[int, int, int, int]:
    """Enclose the pixels that are not 0: top, bottom, left, right; all 0 for an empty mask."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return 0, 0, 0, 0
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


@dataclass(frozen=True, eq=False)
class _Job:
    """Everything a band needs: the pictures, the first curves as tables, the light map spread over the columns."""

    pixels: Pixels
    source: Pixels
    mask: Pixels
    out: Pixels
    columns: tuple[int, int]
    steps: tuple["_Step", ...]
    tables: Floats | None  # (3, levels) of the first curves, for integer pictures

    @classmethod
    def prepare(
        cls,
        pixels: Pixels,
        source: Pixels,
        mask: Pixels,
        harmonization: Harmonization,
        columns: tuple[int, int],
        out: Pixels,
    ) -> "_Job":
        height, width = pixels.shape[:2]
        adjustments = harmonization.adjustments
        tables = None
        if adjustments and isinstance(first := adjustments[0], Curves) and pixels.dtype != np.float32:
            tables, adjustments = first.table(peak(pixels) + 1), adjustments[1:]
        steps = tuple(_Light.prepare(a, height, width, columns) if isinstance(a, Shading) else a for a in adjustments)
        return cls(pixels, source, mask, out, columns, steps, tables)

    def render_band(self, rows: tuple[int, int]) -> None:
        """Render rows [first, last) of the enclosed columns into `out`."""
        left, right = self.columns
        weights = self.mask[rows[0] : rows[1], left:right].ravel()
        inside = np.flatnonzero(weights)
        if not len(inside):
            return
        white = peak(self.pixels)
        weight = weights[inside].astype(np.float64) / peak(self.mask)
        row, column = np.divmod(inside, right - left)
        place = (row + rows[0]) * self.pixels.shape[1] + column + left
        channels = self._first(place, white)
        for step in self.steps:
            channels = _apply(step, channels, rows, inside)
        under, out, depth = self.pixels.reshape(-1), self.out.reshape(-1), self.pixels.shape[2]
        place *= depth
        for channel in channels:
            np.clip(channel, 0.0, 1.0, out=channel)
            below = under.take(place)
            channel *= white
            channel -= below
            channel *= weight
            channel += below
            if white > 1:
                np.rint(channel, out=channel)
            out[place] = channel  # numpy casts to the depth of the picture
            place += 1

    def _first(self, place: NDArray[np.intp], white: int) -> list[Floats]:
        colours = self.source.reshape(-1)
        values = (colours.take(place * self.source.shape[2] + c) for c in range(3))
        if self.tables is None:
            return [channel.astype(np.float64) / white for channel in values]
        return [table.take(channel) for table, channel in zip(self.tables, values, strict=True)]


@dataclass(frozen=True, eq=False)
class _Light:
    """A light map that is already spread over the columns; rows follow band by band."""

    tall: Floats  # (cells, columns)
    rows: Axis

    @classmethod
    def prepare(cls, shading: Shading, height: int, width: int, columns: tuple[int, int]) -> "_Light":
        across = axis(shading.gain.shape[1], width)
        left, right = (side[slice(*columns)] for side in (across.left, across.right))
        share = across.share[slice(*columns)]
        low, high = shading.gain[:, left], shading.gain[:, right]
        return cls(low + share * (high - low), axis(shading.gain.shape[0], height))

    def band(self, rows: tuple[int, int]) -> Floats:
        """The gains of rows [first, last), flat."""
        window = slice(*rows)
        low, high = self.tall[self.rows.left[window]], self.tall[self.rows.right[window]]
        return (low + self.rows.share[window, None] * (high - low)).ravel()


_Step = Curves | Saturation | _Light


def _apply(step: _Step, channels: list[Floats], rows: tuple[int, int], inside: NDArray[np.intp]) -> list[Floats]:
    match step:
        case _Light():
            gain = step.band(rows).take(inside)
            return [channel * gain for channel in channels]
        case Curves():
            return [np.interp(channel, step.x, step.y[c]) for c, channel in enumerate(channels)]
        case Saturation():
            changed = step.apply(np.stack(channels, axis=-1))
            return [changed[..., c].copy() for c in range(3)]


def exact(pixels: Pixels, mask: Pixels, harmonization: Harmonization, source: Pixels | None = None) -> Floats:
    """Evaluate the reference formula as it stands, without rounding: (H, W, 3) float64 in [0,1], for tests."""
    height, width = mask.shape
    beneath = pixels[..., :3].astype(np.float64) / peak(pixels)
    changed = beneath if source is None else source[..., :3].astype(np.float64) / peak(source)
    for adjustment in harmonization.adjustments:
        if isinstance(adjustment, Shading):
            changed = changed * adjustment.upsample(height, width)[..., None]
        else:
            changed = adjustment.apply(changed)
    m = (mask.astype(np.float64) / peak(mask))[..., None]
    return beneath * (1 - m) + m * np.clip(changed, 0, 1)
