"""Sample types of a picture: 8 bit, 16 bit and float."""

from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harmonize_engine.composite import Pixels

band = 1 << 22  # samples converted at a time, so that floats never take a whole picture's memory


def as_depth(pixels: Pixels, depth: DTypeLike) -> Pixels:
    """Convert display-encoded samples of any shape to uint8, uint16 or float32.

    Rounded to nearest; floats beyond [0,1] are clipped when integers are made of them. Returns the same array where
    nothing changes.
    """
    target: np.dtype[Any] = np.dtype(depth)
    if pixels.dtype == target:
        return pixels
    if pixels.dtype.kind == "u":
        levels = 256 if pixels.dtype == np.uint8 else 65536
        return np.take(_samples(np.arange(levels) / (levels - 1), target), cast(NDArray[np.uint16], pixels))
    converted = np.empty(pixels.shape, target)
    given, made = pixels.reshape(-1), converted.reshape(-1)
    for start in range(0, given.size, band):
        made[start : start + band] = _samples(given[start : start + band].astype(np.float64), target)
    return converted


def _samples(unit: NDArray[np.float64], target: np.dtype[Any]) -> Pixels:
    if target == np.float32:
        return unit.astype(np.float32)
    if target == np.uint8:
        return np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
    return np.rint(np.clip(unit, 0, 1) * 65535).astype(np.uint16)
