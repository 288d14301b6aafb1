"""What is sent of a composite: few pixels, in 8 bits. Who works in this process takes the same, for the same answers."""

import base64
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from harmonize_engine.composite import Composite, Pixels, Singles, unit
from harmonize_engine.errors import HarmonizeError

long_side = 512  # pixels; models look at fewer


def eight_bit(composite: Composite) -> Composite:
    """Shrink to at most `long_side` pixels and round to uint8, display-encoded. Raises HarmonizeError `not_finite`."""
    small = composite if max(composite.mask.shape) <= long_side else composite.shrunk(long_side)
    planes = (small.image, small.mask, small.background, small.reference)
    # a composite takes bytes as well as floats; resizing makes floats in [0, 1] of either
    return Composite(*cast(tuple[Singles, Singles, Singles | None, Singles | None], tuple(map(_rounded, planes))))


def fields(composite: Composite) -> dict[str, Any]:
    """Put an 8-bit composite into the fields of a request: width, height and the planes in base64."""
    height, width = composite.mask.shape
    planes = {
        "composite": composite.image,
        "mask": composite.mask,
        "background": composite.background,
        "reference_mask": composite.reference,
    }
    encoded = {name: base64.b64encode(plane.tobytes()).decode() for name, plane in planes.items() if plane is not None}
    return {"width": width, "height": height, **encoded}


def _rounded(plane: Pixels | None) -> NDArray[np.uint8] | None:
    if plane is None or plane.dtype == np.uint8:
        return cast(NDArray[np.uint8] | None, plane)
    if not np.isfinite(plane).all():
        raise HarmonizeError("not_finite", "The picture holds values that are not numbers (NaN).", "Replace them.")
    return np.rint(255 * unit(plane)).astype(np.uint8)
