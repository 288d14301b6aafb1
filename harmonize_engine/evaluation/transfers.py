"""Colour statistics of one foreground given to another: the oldest harmonizers, and a way to make composites.

Pictures are (H, W, 3), display-encoded sRGB in [0,1]; weights (H, W) say which pixels count.
"""

from collections.abc import Callable

import numpy as np

from harmonize_engine.composite import Singles
from harmonize_engine.curves import Floats
from harmonize_engine.evaluation import colour

Transfer = Callable[[Singles, Singles, Singles, Singles], Singles]


def reinhard(image: Singles, weight: Singles, target: Singles, target_weight: Singles) -> Singles:
    """Match mean and spread in CIELAB (Reinhard 2001)."""
    values = colour.lab(image)
    mean, spread = _moments(values, weight)
    target_mean, target_spread = _moments(colour.lab(target), target_weight)
    scale = np.clip(target_spread / np.maximum(spread, 1e-3), 0.4, 2.5)  # a flat foreground must not explode
    return colour.from_lab(((values - mean) * scale + target_mean).astype(np.float32))


def covariance(image: Singles, weight: Singles, target: Singles, target_weight: Singles) -> Singles:
    """Match mean and covariance in RGB by the linear Monge-Kantorovich map (Pitie & Kokaram 2007)."""
    mean, own = _covariance(image, weight)
    target_mean, theirs = _covariance(target, target_weight)
    half, inverse = _root(own, 0.5), _root(own, -0.5)
    transport = inverse @ _root(half @ theirs @ half, 0.5) @ inverse
    return np.clip((image - mean) @ transport.T + target_mean, 0, 1).astype(np.float32)


def histograms(image: Singles, weight: Singles, target: Singles, target_weight: Singles) -> Singles:
    """Match each channel's cumulative histogram, by a smooth curve (Fecker 2008)."""
    bins = 64
    changed = [
        np.interp(
            image[..., c],
            np.linspace(0, 1, bins),
            _matching(_cumulative(image[..., c], weight, bins), _cumulative(target[..., c], target_weight, bins)),
        )
        for c in range(3)
    ]
    return np.stack(changed, -1).astype(np.float32)


transfers: tuple[Transfer, ...] = (reinhard, covariance, histograms)


def _moments(values: Singles, weight: Singles) -> tuple[Floats, Floats]:
    share = (weight / max(float(weight.sum(dtype=np.float64)), 1e-6))[..., None].astype(np.float64)
    mean = (values * share).sum((0, 1))
    return mean, np.sqrt(((values - mean) ** 2 * share).sum((0, 1)))


def _covariance(image: Singles, weight: Singles) -> tuple[Floats, Floats]:
    mean, _ = _moments(image, weight)
    centred = (image - mean).reshape(-1, 3)
    share = weight.reshape(-1, 1) / max(float(weight.sum(dtype=np.float64)), 1e-6)
    return mean, (centred * share).T @ centred + 1e-4 * np.eye(3)


def _root(matrix: Floats, power: float) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 1e-6) ** power) @ vectors.T


def _cumulative(channel: Singles, weight: Singles, bins: int) -> Floats:
    """The cumulative histogram (bins,) of the weighed pixels, strictly rising to 1."""
    index = np.clip(np.rint(channel * (bins - 1)), 0, bins - 1).astype(np.intp)
    counts = np.bincount(index.ravel(), weight.ravel(), bins)
    total = (counts / max(counts.sum(), 1e-6) + 1e-3 / bins).cumsum()
    return total / total[-1]


def _matching(own: Floats, target: Floats) -> Floats:
    bins = len(own)
    after = np.clip(np.searchsorted(target, own), 1, bins - 1)
    low, high = target[after - 1], target[after]
    curve = (after - 1 + np.clip((own - low) / np.maximum(high - low, 1e-9), 0, 1)) / (bins - 1)
    kernel = np.array([1, 2, 3, 2, 1]) / 9  # a staircase is no tone curve
    return np.convolve(np.pad(curve, 2, mode="edge"), kernel, mode="valid")
