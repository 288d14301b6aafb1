"""Validation composites with fixed seeds, and how a network does on them at its own input size."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from harmonize_engine.models.parametric import Parametric
from harmonize_engine.training import families, loss
from harmonize_engine.training.photographs import Photographs, input_shapes, plain_views

seed = 2026


@dataclass(frozen=True)
class ValidationSet:
    """Composites of one shape with their truth; family 0..2, magnitude 0 = untouched."""

    composites: Tensor
    masks: Tensor
    truths: Tensor
    family: Tensor
    magnitude: Tensor


def validation_set(photographs: Photographs, magnitudes: str, limit: int = 10_000) -> ValidationSet:
    """Make each photograph into three composites, one of each family.

    magnitudes: 'full' (all at 1) or 'all' (uniform in [0,1], one in eight untouched).
    """
    generator = torch.Generator().manual_seed(seed)
    count = min(len(photographs), limit)
    images, masks = photographs.batch(torch.arange(count))
    images, masks = plain_views(images, masks, input_shapes[photographs.shape])
    others = torch.randperm(count, generator=generator)
    parts: list[tuple[Tensor, ...]] = []
    for which in range(len(families.names)):
        family = torch.full((count,), which)
        magnitude = _magnitudes(count, magnitudes, generator)
        made = families.composite(images, masks, family, magnitude, images[others], masks[others], generator)
        parts.append((made, masks, images, family, magnitude))
    return ValidationSet(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _magnitudes(count: int, kind: str, generator: Generator) -> Tensor:
    if kind == "full":
        return torch.ones(count)
    drawn = torch.rand(count, generator=generator)
    return torch.where(torch.rand(count, generator=generator) < 0.125, torch.zeros(()), drawn)


@torch.no_grad()
def predict(network: Parametric, composites: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Render the network's results (N, 3, H, W) and its harmony of the composites (N,)."""
    results: list[Tensor] = []
    scores: list[Tensor] = []
    for start in range(0, len(composites), 64):
        part, mask = composites[start : start + 64], masks[start : start + 64]
        with torch.autocast("cpu", torch.bfloat16):
            curves, gain, logit = network(part, mask, part, 1 - mask)
        results.append(loss.render(part, mask, curves.float(), gain.float()))
        scores.append(torch.sigmoid(logit[:, 0].float()))
    return torch.cat(results), torch.cat(scores)


def measure(network: Parametric, full: list[ValidationSet], every: list[ValidationSet]) -> dict[str, float]:
    """Summarise a network: fMSE ratio per family at full magnitude, movement of untouched pictures, share made worse."""
    network.eval()
    summary: dict[str, float] = {}
    before, after, family = [], [], []
    for part in full:
        results, _ = predict(network, part.composites, part.masks)
        before.append(loss.errors(part.composites, part.truths, part.masks)[1])
        after.append(loss.errors(results, part.truths, part.masks)[1])
        family.append(part.family)
    b, a, f = torch.cat(before), torch.cat(after), torch.cat(family)
    for which, name in enumerate(families.names):
        summary[f"ratio_{name}"] = float(a[f == which].mean() / b[f == which].mean())
    moved: list[Tensor] = []
    worse: list[Tensor] = []
    scores: list[Tensor] = []
    truths: list[Tensor] = []
    for part in every:
        results, score = predict(network, part.composites, part.masks)
        error_before = loss.errors(part.composites, part.truths, part.masks)[1]
        error_after = loss.errors(results, part.truths, part.masks)[1]
        untouched = part.magnitude == 0
        moved.append(loss.foreground_mean((results - part.composites).abs(), part.masks)[untouched] * 255)
        worse.append((error_after > error_before).float())
        scores.append(score)
        truths.append(loss.harmony(error_before))
    summary["untouched_levels"] = float(torch.cat(moved).mean())
    summary["worse"] = float(torch.cat(worse).mean())
    pair = torch.stack((torch.cat(scores), torch.cat(truths)))
    summary["harmony_correlation"] = float(torch.corrcoef(pair)[0, 1])
    summary["score"] = sum(summary[f"ratio_{name}"] for name in families.names) / 3 + summary["untouched_levels"] / 20
    network.train()
    return summary
