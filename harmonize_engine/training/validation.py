"""Validation composites with fixed seeds, and how a network does on them at its own input size."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Generator, Tensor

from harmonize_engine.models.architectures import Network
from harmonize_engine.models.rendering import foreground_mean, render
from harmonize_engine.training import families, loss, precision
from harmonize_engine.training.photographs import Photographs, unpacked
from harmonize_engine.training.plates import filled, grown, pasted
from harmonize_engine.training.views import plain_views

seed = 2026
pairs = len(families.names)  # the "family" of retouched pairs from disk
family_names = (*families.names, "pairs")


@dataclass(frozen=True, eq=False)
class ValidationSet:
    """Composites of one shape with their truths and clean plates; family 0..4, magnitude 0 = untouched."""

    composites: Tensor
    masks: Tensor
    truths: Tensor
    plates: Tensor
    family: Tensor
    magnitude: Tensor


def validation_set(part: Photographs, magnitudes: str, limit: int = 10_000) -> ValidationSet:
    """Make each photograph into four composites, one of each family; a pair is a composite already.

    magnitudes: 'full' (all at 1) or 'all' (uniform in [0,1], one in eight untouched).
    """
    generator = Generator().manual_seed(seed)
    count = min(len(part), limit)
    planes = plain_views(unpacked(part.read(torch.arange(count))), part.size)
    images, masks = planes[:, :3], planes[:, 3:4]
    plates = planes[:, 7:] if planes.shape[1] == 10 else filled(images, grown(masks))
    if part.kind != "photograph":
        made = pasted(planes[:, 4:7], masks, images)
        return ValidationSet(made, masks, images, plates, torch.full((count,), pairs), torch.ones(count))
    others = torch.randperm(count, generator=generator)
    parts: list[tuple[Tensor, ...]] = []
    for which in range(len(families.names)):
        family = torch.full((count,), which)
        magnitude = _magnitudes(count, magnitudes, generator)
        made = families.composite(images, masks, family, magnitude, images[others], masks[others], generator)
        parts.append((made, masks, images, plates, family, magnitude))
    return ValidationSet(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _magnitudes(count: int, kind: str, generator: Generator) -> Tensor:
    if kind == "full":
        return torch.ones(count)
    drawn = torch.rand(count, generator=generator)
    return torch.where(torch.rand(count, generator=generator) < 0.125, torch.zeros(()), drawn)


@dataclass(frozen=True, eq=False)
class Judged:
    """What became of every composite of several sets, squared errors over the foreground; all (N,)."""

    before: Tensor
    after: Tensor
    curves_only: Tensor
    moved: Tensor  # levels
    harmony: Tensor
    family: Tensor
    magnitude: Tensor


@torch.no_grad()
def judge(network: Network, sets: Sequence[ValidationSet], clean_plates: bool, device: torch.device) -> Judged:
    """Let a network harmonize them, on its device, in bfloat16 where it has that."""
    found: list[Judged] = []
    for each in sets:
        for start in range(0, len(each.composites), 64):
            rows = slice(start, start + 64)
            found.append(_judge(network, each, rows, clean_plates, device))
    return Judged(*(torch.cat([getattr(part, column.name) for part in found]) for column in fields(Judged)))


def _judge(network: Network, each: ValidationSet, rows: slice, clean: bool, device: torch.device) -> Judged:
    part, mask, truth = (value[rows].to(device) for value in (each.composites, each.masks, each.truths))
    background = each.plates[rows].to(device) if clean else part
    with precision.bfloat16(device):
        curves, gain, logit = network(part, mask, background, torch.ones_like(mask) if clean else 1 - mask)
    results = render(part, mask, curves.float(), gain.float())
    plain = render(part, mask, curves.float(), torch.ones_like(gain, dtype=torch.float32))
    before, after, curves_only = (loss.errors(picture, truth, mask)[1].cpu() for picture in (part, results, plain))
    moved = foreground_mean((results - part).abs(), mask).cpu() * 255
    harmony = torch.sigmoid(logit[:, 0].float()).cpu()
    return Judged(before, after, curves_only, moved, harmony, each.family[rows], each.magnitude[rows])


def summarise(full: Judged, every: Judged) -> dict[str, float]:
    """Tell fMSE ratios at full and at mild magnitudes, what light adds, harm, and a score: lower is better."""
    summary: dict[str, float] = {}
    for which in full.family.unique().tolist():
        rows = full.family == which
        summary[f"ratio_{family_names[which]}"] = float(full.after[rows].mean() / full.before[rows].mean())
    ratios = list(summary.values())
    summary["ratio_curves_only"] = float(full.curves_only.mean() / full.before.mean())
    summary["ratio"] = float(full.after.mean() / full.before.mean())
    mild = (every.magnitude > 0) & (every.magnitude < 0.4)
    untouched = every.magnitude == 0
    if mild.any() and untouched.any():
        summary["ratio_mild"] = float(every.after[mild].mean() / every.before[mild].mean())
        summary["untouched_levels"] = float(every.moved[untouched].mean())
    summary["worse"] = float((every.after > every.before).float().mean())
    told = torch.corrcoef(torch.stack((every.harmony, loss.harmony(every.before))))[0, 1]
    summary["harmony_correlation"] = float(told.nan_to_num())
    summary["score"] = sum(ratios) / len(ratios) + summary.get("untouched_levels", 0.0) / 20
    return summary


def measure(
    network: Network,
    full: Sequence[ValidationSet],
    every: Sequence[ValidationSet],
    clean_plates: bool = False,
    device: torch.device | None = None,
) -> dict[str, float]:
    """Summarise a network on the sets at full magnitude and on those at every magnitude."""
    device = device or torch.device("cpu")
    training = network.training
    network.eval()
    summary = summarise(judge(network, full, clean_plates, device), judge(network, every, clean_plates, device))
    network.train(training)
    return summary
