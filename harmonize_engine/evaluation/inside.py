"""How far a result is from the truth well inside the foreground, where no background leaks through the edge of the mask.

Masks of iHarmony4 and others take in a pixel or two of background at their edges; whoever changes those is punished or
rewarded for nothing. So the mask is eroded first. 8-bit levels (0..255) of display-encoded values.
"""

import numpy as np
from numpy.typing import NDArray

from harmonize_engine.composite import Pixels
from harmonize_engine.evaluation.metrics import levels

radius_share = 0.02  # of the picture's short side
least_pixels = 64


def eroded(mask: Pixels) -> NDArray[np.bool_]:
    """What is foreground with all its neighbours within a square, 2 % of the short side each way.

    mask: (H, W), foreground above half. A thin foreground is eroded less, so that something is left. Beyond the picture's
    border counts as foreground.
    """
    solid = mask > (127 if mask.dtype == np.uint8 else 0.5)
    radius = max(1, round(radius_share * min(mask.shape)))
    while radius:
        inner = _shrunk(_shrunk(solid, radius).T, radius).T
        if inner.sum() >= least_pixels:
            return inner
        radius //= 2
    return solid


def _shrunk(solid: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Whether all of the 2 * radius + 1 pixels of a row around each are set."""
    outside = np.pad(~solid, ((0, 0), (radius + 1, radius)))
    count = outside.cumsum(1, dtype=np.int32)
    return count[:, 2 * radius + 1 :] == count[:, : -2 * radius - 1]


def psnr_inside(result: Pixels, truth: Pixels, inner: NDArray[np.bool_]) -> float:
    """PSNR with peak 255 over the pixels of `inner`; infinite where they are equal."""
    error = float(((levels(result[inner]) - levels(truth[inner])) ** 2).mean()) if inner.any() else 0.0
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
