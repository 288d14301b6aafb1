"""Family (b): a foreground takes over the colour statistics of another, on batches of display-encoded sRGB in [0,1].

Images are (N, 3, H, W), masks (N, 1, H, W) in [0,1].
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from harmonize_engine.models.rendering import apply_curves
from harmonize_engine.training import colour


def by_statistics(
    images: Tensor,
    masks: Tensor,
    others: Tensor,
    other_masks: Tensor,
    magnitude: Tensor,
    generator: Generator,
) -> Tensor:
    """Family (b): one of three statistics transfers from the foreground of another photograph."""
    chosen = torch.randint(3, (len(images),), generator=generator)
    transfers = (_reinhard, _covariance, _histograms)
    changed = torch.empty_like(images)
    for which, transfer in enumerate(transfers):
        rows = (chosen == which).nonzero().flatten()
        if len(rows):
            changed[rows] = transfer(images[rows], masks[rows], others[rows], other_masks[rows])
    amount = magnitude[:, None, None, None]
    return (images + amount * (changed - images)).clamp(0.0, 1.0)


def _moments(values: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    weight = masks / masks.sum((2, 3), keepdim=True).clamp_min(1e-6)
    mean = (values * weight).sum((2, 3), keepdim=True)
    return mean, ((values - mean) ** 2 * weight).sum((2, 3), keepdim=True).sqrt()


def _reinhard(images: Tensor, masks: Tensor, others: Tensor, other_masks: Tensor) -> Tensor:
    values = colour.lab(images)
    mean, spread = _moments(values, masks)
    target_mean, target_spread = _moments(colour.lab(others), other_masks)
    scale = (target_spread / spread.clamp_min(1e-3)).clamp(0.4, 2.5)  # a flat foreground must not explode
    return colour.from_lab((values - mean) * scale + target_mean)


def _covariances(values: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    pixels = values.flatten(2)
    weight = (masks / masks.sum((2, 3), keepdim=True).clamp_min(1e-6)).flatten(2)
    mean = (pixels * weight).sum(2, keepdim=True)
    centred = pixels - mean
    return mean, (centred * weight) @ centred.transpose(1, 2) + 1e-4 * torch.eye(3)


def _root(matrix: Tensor, power: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(1e-6)[:, None, :] ** power) @ vectors.transpose(1, 2)


def _covariance(images: Tensor, masks: Tensor, others: Tensor, other_masks: Tensor) -> Tensor:
    mean, own = _covariances(images, masks)
    target_mean, target = _covariances(others, other_masks)
    half, inverse = _root(own, 0.5), _root(own, -0.5)
    transport = inverse @ _root(half @ target @ half, 0.5) @ inverse
    pixels = transport @ (images.flatten(2) - mean) + target_mean
    return pixels.view_as(images).clamp(0.0, 1.0)


def _cumulative(values: Tensor, masks: Tensor, bins: int) -> Tensor:
    """Cumulative histograms (N, 3, bins) of the masked pixels, strictly rising from 0 to 1."""
    index = (values * (bins - 1)).round().long().clamp(0, bins - 1).flatten(2)
    weight = masks.flatten(2).expand(-1, 3, -1)
    counts = torch.zeros(*values.shape[:2], bins).scatter_add_(2, index, weight)
    counts = counts / counts.sum(2, keepdim=True).clamp_min(1e-6) + 1e-3 / bins
    total = counts.cumsum(2)
    return total / total[..., -1:]


def _histograms(images: Tensor, masks: Tensor, others: Tensor, other_masks: Tensor, bins: int = 64) -> Tensor:
    own, target = _cumulative(images, masks, bins), _cumulative(others, other_masks, bins)
    after = torch.searchsorted(target, own.contiguous()).clamp(1, bins - 1)
    low, high = target.gather(2, after - 1), target.gather(2, after)
    curve = (after - 1 + ((own - low) / (high - low).clamp_min(1e-9)).clamp(0, 1)) / (bins - 1)
    kernel = torch.tensor([1.0, 2, 3, 2, 1]) / 9  # a staircase is no tone curve
    curve = F.conv1d(F.pad(curve.flatten(0, 1)[:, None], (2, 2), "replicate"), kernel[None, None]).view_as(curve)
    return apply_curves(images, curve)
