"""What the parametric network is trained on: the foreground against the truth, in display-encoded sRGB."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from harmonize_engine import gate
from harmonize_engine.models.parametric import shrunk
from harmonize_engine.models.rendering import apply_curves, foreground_mean, render
from harmonize_engine.training.colour import luma

harmony_scale = gate.scale / 255  # a foreground this far off (RMS) has harmony 1/e


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


@dataclass(frozen=True)
class Weights:
    """Of the parts of the objective; whole_picture > 0 puts PIH's |d| over all pixels in the place of all but harmony."""

    harm: float = 0.5
    relative: float = 0.0
    squared: float = 10.0
    light: float = 4.0
    whole_picture: float = 0.0
    trusting: bool = False  # trust does not learn yet: at first every correction is bad, and it would learn to do nothing


@dataclass(frozen=True, eq=False)
class Attempt:
    """What a network says: curves, gain, the logit of harmony, and how much of the correction to trust (None: all)."""

    curves: Tensor
    gain: Tensor
    logits: Tensor
    trust: Tensor | None

    def results(self, composites: Tensor, masks: Tensor) -> Tensor:
        """Render the correction as far as it is trusted; trust itself learns nothing from this."""
        if self.trust is None:
            return render(composites, masks, self.curves, self.gain)
        return render(composites, masks, *shrunk(self.curves, self.gain, self.trust.detach()))


def objective(
    composites: Tensor, masks: Tensor, truths: Tensor, attempt: Attempt, weights: Weights | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Weigh foreground error, do-no-harm, light map and harmony.

    The error is |d| + 10 d^2 per image, normalised by the foreground (Harmonizer's stage loss); more weight on d^2 makes a
    network bolder where it is unsure: the mean of what may be true instead of the middle. `relative` adds it as a
    share of the composite's own, so that small changes are not drowned by large ones. Do-no-harm adds a part of what the
    error grew where a result is worse than its composite. The light map is also compared, in logarithms, with what is left
    to do after the curves. Where a network says how much to trust it, the whole correction learns from the error alone, and
    trust alone from error and harm of the shrunk one: shrinking cannot keep the correction from learning.
    """
    weights = weights or Weights()
    results = render(composites, masks, attempt.curves, attempt.gain)
    with torch.no_grad():
        before, squared_before = _error(composites, truths, masks, weights.squared)
    score = F.binary_cross_entropy_with_logits(attempt.logits[:, 0], harmony(squared_before), reduction="none")
    if weights.whole_picture:
        total = weights.whole_picture * (results - truths).abs().mean() + 0.03 * score.mean()
        after = _error(results, truths, masks, weights.squared)[0]
        return total, _noted(after, before, score)
    after, _ = _error(results, truths, masks, weights.squared)
    uneven, _ = light_errors(composites, masks, truths, attempt.curves, attempt.gain)
    scale = 1 + weights.relative * 0.1 / (before + 0.05)  # doubled at about 10 levels, trebled where nothing was changed
    total = (scale * after + 0.03 * score).mean() + weights.light * uneven
    if attempt.trust is not None and weights.trusting:
        return total, _noted(after, before, score)
    if attempt.trust is not None:
        careful = render(composites, masks, *shrunk(attempt.curves.detach(), attempt.gain.detach(), attempt.trust))
        after, _ = _error(careful, truths, masks, weights.squared)
        total = total + (scale * after).mean()
    return total + weights.harm * F.relu(after - before).mean(), _noted(after, before, score)


def _error(results: Tensor, truths: Tensor, masks: Tensor, weight: float) -> tuple[Tensor, Tensor]:
    absolute, squared = errors(results, truths, masks)
    return absolute + weight * squared, squared


def _noted(after: Tensor, before: Tensor, score: Tensor) -> dict[str, Tensor]:
    noted = {"error": after, "harm": F.relu(after - before), "harmony": score}
    return {name: value.detach().mean() for name, value in noted.items()}
