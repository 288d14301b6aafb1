"""Tone curves and light maps on batches of display-encoded images, as the engine renders them on one."""

import torch.nn.functional as F
from torch import Tensor


def apply_curves(images: Tensor, curves: Tensor) -> Tensor:
    """Send images (N, 3, H, W), clipped to [0,1], through curves (N, 3, K) at uniform knots, linear between them."""
    last = curves.shape[2] - 1
    place = images.clamp(0, 1).flatten(2) * last
    left = place.floor().clamp(0, last - 1)
    index = left.long()
    low, high = curves.gather(2, index), curves.gather(2, index + 1)
    return (low + (high - low) * (place - left)).view(images.shape)


def render(composites: Tensor, masks: Tensor, curves: Tensor, gain: Tensor) -> Tensor:
    """Render the reference formula: C * (1 - m) + m * clip(shading(curves(C)), 0, 1).

    composites (N, 3, H, W), masks (N, 1, H, W), curves (N, 3, K), gain (N, 1, h, w); bilinear, half-pixel centres.
    """
    light = F.interpolate(gain, composites.shape[2:], mode="bilinear", align_corners=False)
    changed = (apply_curves(composites, curves) * light).clamp(0.0, 1.0)
    return composites + (changed - composites) * masks


def foreground_mean(values: Tensor, masks: Tensor) -> Tensor:
    """Average values (N, C, H, W) over channels and the foreground, (N,)."""
    return (values * masks).sum((1, 2, 3)) / (masks.sum((1, 2, 3)) * values.shape[1]).clamp_min(1e-6)
