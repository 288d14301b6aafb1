"""Three families of synthetic composites: a photograph whose foreground alone is changed, the photograph is the truth.

`filters`     (a) Harmonizer's six filters in reverse order, arguments uniform within their ranges (method of
              Ke et al., ECCV 2022, sec. 4: composites are made by the inverse of the restoring order).
`statistics`  (b) the foreground takes over the colour statistics of another photograph's foreground, by one of three
              transfers: mean and spread in CIELAB (Reinhard 2001), full covariance in RGB (Pitie 2007, linear
              Monge-Kantorovich), or one cumulative histogram per channel (Fecker 2008). The idea behind iHarmony4.
`retouch`     (c) what an artist does: exposure, white balance, smooth tone curves per channel, saturation, and local
              dodge and burn (low-frequency gains, light gradients), in display values or in linear light.

Images are (N, 3, H, W), display-encoded sRGB in [0,1]; masks (N, 1, H, W) in [0,1]; `magnitude` (N,) in [0,1] scales every
change from nothing to the full range. All randomness comes from the given torch.Generator.
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from harmonize_engine.training import colour, filters

names = ("filters", "statistics", "retouch")


def uniform(shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Draw from [-1,1)."""
    return torch.rand(shape, generator=generator) * 2 - 1


def by_filters(images: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Family (a): shadow, highlight, saturation, contrast, brightness, temperature, each with a random argument."""
    changed = images
    for apply in reversed(filters.restore_order):
        argument = uniform((len(images),), generator) * filters.ranges[apply.__name__] * magnitude
        changed = apply(changed, argument)
    return changed


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


def apply_curves(images: Tensor, curves: Tensor) -> Tensor:
    """Send images (N, 3, H, W) through tone curves (N, 3, K) sampled uniformly on [0,1], linear between samples."""
    last = curves.shape[2] - 1
    place = images.clamp(0, 1).flatten(2) * last
    left = place.floor().clamp(0, last - 1)
    index = left.long()
    low, high = curves.gather(2, index), curves.gather(2, index + 1)
    return torch.lerp(low, high, place - left).view_as(images)


# Full magnitude is as strong as what is published: over the validation photographs the mean MSE is 381 and the mean fMSE
# 1384 (RealHM's composites: MSE 404; iHarmony4's: fMSE 1387).
retouch_ranges = {
    "exposure": 1.5,  # stops, in linear light
    "temperature": 0.35,  # log gain of red against blue, in linear light
    "tint": 0.10,  # log gain of green, in linear light
    "tone": 0.20,  # largest shift of a tone curve's inner points, display values
    "channel": 0.08,  # the same, for each channel on its own
    "saturation": 0.50,
    "dodge_burn": 0.55,  # log gain of the low-frequency field
    "gradient": 0.60,  # log gain from one side of the picture to the other
}


def by_retouch(images: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Family (c): exposure and white balance, tone curves, saturation, local dodge and burn."""
    changed = develop(images, magnitude, generator)
    changed = apply_curves(changed, _tone_curves(len(images), magnitude, generator))
    slope = 1 + retouch_ranges["saturation"] * magnitude[:, None, None, None] * uniform((len(images), 1, 1, 1), generator)
    grey = colour.luma(changed)
    changed = (grey + (changed - grey) * slope).clamp(0.0, 1.0)
    return relight(changed, magnitude, generator).clamp(0.0, 1.0)


def develop(images: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Develop as a raw converter would: exposure, temperature and tint in linear light, with a soft shoulder."""
    count = len(images)
    stops = retouch_ranges["exposure"] * uniform((count, 1), generator)
    warmth = retouch_ranges["temperature"] * uniform((count, 1), generator)
    tint = retouch_ranges["tint"] * uniform((count, 1), generator)
    log_gain = torch.cat((warmth, tint, -warmth), 1) + stops * 0.6931
    # exposure by a gain with a shoulder: bright pixels approach white instead of clipping hard
    linear = colour.decode(images)
    gain = (log_gain * magnitude[:, None]).exp()[:, :, None, None]
    return colour.encode((linear * gain / (1 + (gain - 1).clamp_min(0) * linear)).clamp(0.0, 1.0))


def _tone_curves(count: int, magnitude: Tensor, generator: Generator, knots: int = 33) -> Tensor:
    """Smooth curves through five points, the inner three shifted together and, less, each channel alone."""
    x = torch.linspace(0, 1, knots)
    shared = retouch_ranges["tone"] * uniform((count, 1, 3), generator)
    own = retouch_ranges["channel"] * uniform((count, 3, 3), generator)
    shift = (shared + own) * magnitude[:, None, None]
    bumps = torch.stack([torch.sin(torch.pi * x ** (0.6931 / -torch.tensor(p).log())) ** 2 for p in (0.2, 0.5, 0.8)])
    return (x + shift @ bumps * 0.8).clamp(0, 1).cummax(2).values


def relight(images: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Dodge and burn: a field of low frequency, a gradient across the picture, or nothing, a third each."""
    count, _, height, width = images.shape
    amount = magnitude[:, None, None, None]
    size = 3 + int(torch.randint(3, (), generator=generator))
    field = uniform((count, 1, size, size), generator) * retouch_ranges["dodge_burn"]
    field = F.interpolate(field, (height, width), mode="bicubic", align_corners=True)
    angle = torch.rand((count, 1, 1, 1), generator=generator) * 2 * torch.pi
    y = torch.linspace(-1, 1, height).view(1, 1, -1, 1)
    x = torch.linspace(-1, 1, width).view(1, 1, 1, -1)
    strength = uniform((count, 1, 1, 1), generator) * retouch_ranges["gradient"]
    ramp = (x * angle.cos() + y * angle.sin()) * strength
    kind = torch.randint(3, (count, 1, 1, 1), generator=generator)
    log_gain = amount * torch.where(kind == 0, field, torch.where(kind == 1, ramp, torch.zeros(())))
    in_linear_light = torch.rand((count, 1, 1, 1), generator=generator) < 0.5
    display = images * log_gain.exp()
    linear = colour.encode((colour.decode(images) * (2 * log_gain).exp()).clamp(0.0, 1.0))
    return torch.where(in_linear_light, linear, display)


def composite(
    images: Tensor,
    masks: Tensor,
    family: Tensor,
    magnitude: Tensor,
    others: Tensor,
    other_masks: Tensor,
    generator: Generator,
) -> Tensor:
    """Change each photograph's foreground by the family of its row (0, 1, 2), by its magnitude (0 = untouched).

    Returns composites (N, 3, H, W) = images * (1 - masks) + changed * masks, display-encoded sRGB in [0,1].
    """
    changed = images.clone()
    for which in range(len(names)):
        rows = (family == which).nonzero().flatten()
        if not len(rows):
            continue
        part, amount = images[rows], magnitude[rows]
        if which == 0:
            changed[rows] = by_filters(part, amount, generator)
        elif which == 1:
            changed[rows] = by_statistics(part, masks[rows], others[rows], other_masks[rows], amount, generator)
        else:
            changed[rows] = by_retouch(part, amount, generator)
    return torch.where(magnitude[:, None, None, None] > 0, images + (changed - images) * masks, images)
