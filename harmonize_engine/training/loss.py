"""What the parametric network is trained on: the foreground against the truth, in display-encoded sRGB."""

import torch
import torch.nn.functional as F
from torch import Tensor

from harmonize_engine.training.colour import luma
from harmonize_engine.training.families import apply_curves

harmony_scale = 20 / 255  # a foreground this far off (RMS) has harmony 1/e


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


def errors(results: Tensor, truths: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Smooth absolute and squared error of the foreground, each (N,), values in [0,1]."""
    squared = (results - truths) ** 2
    return foreground_mean((squared + 1e-6).sqrt() - 1e-3, masks), foreground_mean(squared, masks)


def harmony(squared_error: Tensor) -> Tensor:
    """Score a foreground by its true RMS error: 1 = in harmony, 1/e at 20 levels."""
    return (-(squared_error.clamp_min(0).sqrt()) / harmony_scale).exp()


@torch.no_grad()
def light_left(composites: Tensor, masks: Tensor, truths: Tensor, curves: Tensor) -> Tensor:
    """What light is left to add after the curves: log of the ratio of luma, its foreground mean taken away."""
    curved = apply_curves(composites, curves.detach())
    ratio = ((luma(truths) + 0.05) / (luma(curved) + 0.05)).log().clamp(-1.0, 1.0)
    return ratio - foreground_mean(ratio, masks)[:, None, None, None]


def light_errors(composites: Tensor, masks: Tensor, truths: Tensor, curves: Tensor, gain: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared error of a light map in logarithms, and that of none at all."""
    wanted = light_left(composites, masks, truths, curves)
    light = F.interpolate(gain.log(), composites.shape[2:], mode="bilinear", align_corners=False)
    return foreground_mean((light - wanted) ** 2, masks).mean(), foreground_mean(wanted**2, masks).mean()


def objective(
    composites: Tensor, masks: Tensor, truths: Tensor, curves: Tensor, gain: Tensor, logits: Tensor
) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """Weigh foreground error, do-no-harm, light map and harmony; also returns the rendered results.

    The error is |d| + 10 d^2 per image, normalised by the foreground (Harmonizer's stage loss). Do-no-harm adds half of
    what the error grew where a result is worse than its composite. The light map is also compared, in logarithms, with
    what is left to do after the curves.
    """
    results = render(composites, masks, curves, gain)
    absolute, squared = errors(results, truths, masks)
    with torch.no_grad():
        absolute_before, squared_before = errors(composites, truths, masks)
    after, before = absolute + 10 * squared, absolute_before + 10 * squared_before
    harm = F.relu(after - before)
    uneven, _ = light_errors(composites, masks, truths, curves, gain)
    score = F.binary_cross_entropy_with_logits(logits[:, 0].float(), harmony(squared_before), reduction="none")
    total = (after + 0.5 * harm + 0.03 * score).mean() + 4 * uneven
    parts = {"error": after.mean(), "harm": harm.mean(), "harmony": score.mean()}
    return total, {name: value.detach() for name, value in parts.items()}, results
