"""Family (c): exposure and white balance in linear light, tone curves, saturation, local dodge and burn.

Images are (N, 3, H, W), display-encoded sRGB in [0,1]; magnitude (N,) in [0,1] scales every change; everything random comes
from the generator.
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from harmonize_engine.evaluation.retouching import ranges
from harmonize_engine.models.rendering import apply_curves
from harmonize_engine.training import colour


def uniform(shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Draw from [-1,1)."""
    return torch.rand(shape, generator=generator) * 2 - 1


def by_retouch(images: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Family (c): exposure and white balance, tone curves, saturation, local dodge and burn."""
    changed = develop(images, magnitude, generator)
    changed = apply_curves(changed, _tone_curves(len(images), magnitude, generator))
    slope = 1 + ranges["saturation"] * magnitude[:, None, None, None] * uniform((len(images), 1, 1, 1), generator)
    grey = colour.luma(changed)
    changed = (grey + (changed - grey) * slope).clamp(0.0, 1.0)
    return relight(changed, magnitude, generator).clamp(0.0, 1.0)


def develop(images: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Develop as a raw converter would: exposure, temperature and tint in linear light, with a soft shoulder."""
    count = len(images)
    stops = ranges["exposure"] * uniform((count, 1), generator)
    warmth = ranges["temperature"] * uniform((count, 1), generator)
    tint = ranges["tint"] * uniform((count, 1), generator)
    log_gain = torch.cat((warmth, tint, -warmth), 1) + stops * 0.6931
    # exposure by a gain with a shoulder: bright pixels approach white instead of clipping hard
    linear = colour.decode(images)
    gain = (log_gain * magnitude[:, None]).exp()[:, :, None, None]
    return colour.encode((linear * gain / (1 + (gain - 1).clamp_min(0) * linear)).clamp(0.0, 1.0))


def _tone_curves(count: int, magnitude: Tensor, generator: Generator, knots: int = 33) -> Tensor:
    """Smooth curves through five points, the inner three shifted together and, less, each channel alone."""
    x = torch.linspace(0, 1, knots)
    shared = ranges["tone"] * uniform((count, 1, 3), generator)
    own = ranges["channel"] * uniform((count, 3, 3), generator)
    shift = (shared + own) * magnitude[:, None, None]
    bumps = torch.stack([torch.sin(torch.pi * x ** (0.6931 / -torch.tensor(p).log())) ** 2 for p in (0.2, 0.5, 0.8)])
    return (x + shift @ bumps * 0.8).clamp(0, 1).cummax(2).values


def relight(images: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Dodge and burn: a field of low frequency, a gradient across the picture, or nothing, a third each."""
    count, _, height, width = images.shape
    amount = magnitude[:, None, None, None]
    size = 3 + int(torch.randint(3, (), generator=generator))
    field = uniform((count, 1, size, size), generator) * ranges["dodge_burn"]
    field = F.interpolate(field, (height, width), mode="bicubic", align_corners=True)
    angle = torch.rand((count, 1, 1, 1), generator=generator) * 2 * torch.pi
    y = torch.linspace(-1, 1, height).view(1, 1, -1, 1)
    x = torch.linspace(-1, 1, width).view(1, 1, 1, -1)
    strength = uniform((count, 1, 1, 1), generator) * ranges["gradient"]
    ramp = (x * angle.cos() + y * angle.sin()) * strength
    kind = torch.randint(3, (count, 1, 1, 1), generator=generator)
    log_gain = amount * torch.where(kind == 0, field, torch.where(kind == 1, ramp, torch.zeros(())))
    in_linear_light = torch.rand((count, 1, 1, 1), generator=generator) < 0.5
    display = images * log_gain.exp()
    linear = colour.encode((colour.decode(images) * (2 * log_gain).exp()).clamp(0.0, 1.0))
    return torch.where(in_linear_light, linear, display)
