"""How far a result is from the truth, on 8-bit levels (0..255) of display-encoded values, with the papers' conventions.

MSE over all pixels, fMSE over the foreground weighted by the soft mask (iDIH, PCT-Net), PSNR with peak 255, SSIM with a
7 x 7 uniform window, mean over channels (scikit-image's default). Means of any of them are means over images.
"""

from dataclasses import dataclass

import numpy as np

from harmonize_engine.composite import Pixels, peak
from harmonize_engine.curves import Floats


@dataclass(frozen=True)
class Metrics:
    """One result against its truth."""

    mse: float
    fmse: float
    psnr: float
    ssim: float


def levels(pixels: Pixels) -> Floats:
    """Scale pictures of any depth to 0..255, not rounded."""
    return pixels[..., :3].astype(np.float64) * (255 / peak(pixels))


def measure(result: Pixels, truth: Pixels, mask: Pixels) -> Metrics:
    """Compare (H, W, 3) pictures of any depth; mask (H, W), its foreground."""
    ours, theirs = levels(result), levels(truth)
    squared = (ours - theirs) ** 2
    weight = mask.astype(np.float64) / peak(mask)
    mse = float(squared.mean())
    fmse = float((squared * weight[..., None]).sum() / (3 * weight.sum()))
    psnr = float("inf") if mse == 0 else float(10 * np.log10(255**2 / mse))
    return Metrics(mse, fmse, psnr, ssim(ours, theirs))


def ssim(ours: Floats, theirs: Floats, window: int = 7) -> float:
    """Structural similarity (Wang et al. 2004) of (H, W, 3) levels: uniform window, sample covariance."""
    unbiased = window**2 / (window**2 - 1)
    first, second = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_a, mean_b = _box(ours, window), _box(theirs, window)
    var_a = unbiased * (_box(ours * ours, window) - mean_a**2)
    var_b = unbiased * (_box(theirs * theirs, window) - mean_b**2)
    both = unbiased * (_box(ours * theirs, window) - mean_a * mean_b)
    top = (2 * mean_a * mean_b + first) * (2 * both + second)
    bottom = (mean_a**2 + mean_b**2 + first) * (var_a + var_b + second)
    return float((top / bottom).mean())


def _box(values: Floats, window: int) -> Floats:
    """Mean over every whole window, by running sums."""
    total = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0), (0, 0)))
    inner = total[window:, window:] - total[:-window, window:] - total[window:, :-window] + total[:-window, :-window]
    return inner / window**2
