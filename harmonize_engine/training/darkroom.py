"""The fourth family, `darkroom`: what an artist's raw converter and darkroom do to a foreground, one step after another.

Each picture gets some of the steps, every one with its own chance, all scaled by `magnitude` in [0,1]. Published ranges are
the yardstick: PIH jitters brightness by 0.65 to 1.35 and contrast by 0.8 to 1.2, Harmonizer's filters go up to 0.3 - 0.6.
Full magnitude goes a little beyond what an artist would do in one step, so that the network meets what it has to undo.

Different on purpose from the benchmark's held-out families: nothing here mixes channels by a matrix or a table, keeps hues
while it bends tones, works on stops, or clips as a sensor does. All tone and tint is one curve per channel, on display
values; what depends on colour is saturation alone.

Images are (N, 3, H, W), display-encoded sRGB in [0,1]; everything random comes from the generator.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from harmonize_engine.models.rendering import apply_curves
from harmonize_engine.training import colour
from harmonize_engine.training.retouch import develop, uniform

knots = 33
ranges = {
    "toe": 0.16,  # how far a film-like curve lifts (faded print) or sinks (dense print) the shadows, display values
    "shoulder": 0.16,  # the same for highlights
    "contrast": 0.35,  # change of its slope in the middle
    "split": 0.07,  # tint of shadows and of highlights, display values, each channel its own: strong split toning
    "saturation": 0.50,  # grey to one and a half
    "vibrance": 0.70,  # the same, for dull colours most and for vivid ones hardly
    "dodge_burn": 0.60,  # log gain of one or two soft brushes
    "gradient": 0.65,  # log gain from one side of the foreground to the other: light from a side
    "haze": 0.35,  # share of air light over the foreground; negative: as much of it taken away
}
chances = {"develop": 0.8, "film": 0.6, "split": 0.35, "vivid": 0.5, "brushes": 0.35, "side_light": 0.35, "haze": 0.25}


def by_darkroom(images: Tensor, masks: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Apply each step by its chance, in the order of a raw converter: light and colour first, local light last."""
    steps: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "develop": lambda x, m: develop(x, m, generator),
        "haze": lambda x, m: _haze(x, m, generator),
        "film": lambda x, m: apply_curves(x, _film(m, generator)),
        "split": lambda x, m: apply_curves(x, _split(m, generator)),
        "vivid": lambda x, m: _vivid(x, m, generator),
        "brushes": lambda x, m: _brushes(x, masks, m, generator),
        "side_light": lambda x, m: _side_light(x, masks, m, generator),
    }
    for name, step in steps.items():
        taken = (torch.rand(len(images), generator=generator) < chances[name]).float()
        images = step(images, magnitude * taken).clamp(0.0, 1.0)
    return images


def _film(magnitude: Tensor, generator: Generator) -> Tensor:
    """Tone curves (N, 3, knots) of a print: toe, shoulder and slope, all channels alike; rising, on display values."""
    x = torch.linspace(0, 1, knots)
    toe, shoulder, slope = (
        ranges[name] * uniform((len(magnitude), 1, 1), generator) * magnitude[:, None, None]
        for name in ("toe", "shoulder", "contrast")
    )
    bend = slope * (x - 0.5) * (4 * x * (1 - x)) ** 0.5 * 0.7
    return (x + toe * (1 - x) ** 3 - shoulder * x**3 + bend).clamp(0, 1).cummax(2).values.expand(-1, 3, -1)


def _split(magnitude: Tensor, generator: Generator) -> Tensor:
    """Split toning as one curve per channel: opposite shadows and highlights, mean over the channels kept."""
    x = torch.linspace(0, 1, knots)
    tints = ranges["split"] * uniform((len(magnitude), 3, 2), generator) * magnitude[:, None, None]
    tints = tints - tints.mean(1, keepdim=True)
    shadows, highlights = 6.75 * x * (1 - x) ** 2, 6.75 * x**2 * (1 - x)
    return (x + tints[..., :1] * shadows + tints[..., 1:] * highlights).clamp(0, 1).cummax(2).values


def _vivid(images: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Saturation, and vibrance that spares vivid colours."""
    amount = magnitude[:, None, None, None]
    even, dull = (ranges[name] * uniform((len(images), 1, 1, 1), generator) * amount for name in ("saturation", "vibrance"))
    spread = images.amax(1, keepdim=True) - images.amin(1, keepdim=True)
    grey = colour.luma(images)
    return grey + (images - grey) * (1 + even + dull * (1 - spread).clamp_min(0) ** 2).clamp_min(0)


def _haze(images: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Air light between camera and foreground, nearly grey; or what clearing it away does."""
    count = len(images)
    air = 0.55 + 0.3 * torch.rand((count, 1, 1, 1), generator=generator) + 0.08 * uniform((count, 3, 1, 1), generator)
    amount = ranges["haze"] * uniform((count, 1, 1, 1), generator) * magnitude[:, None, None, None]
    return images + amount * (air - images)


def _places(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel places x, y in units of the foreground's spread around its centre, (N, 1, H, W) each."""
    height, width = masks.shape[2:]
    y, x = torch.linspace(-1, 1, height).view(1, 1, -1, 1), torch.linspace(-1, 1, width).view(1, 1, 1, -1)
    weight = masks / masks.sum((2, 3), keepdim=True).clamp_min(1e-6)
    centre_x, centre_y = ((weight * axis).sum((2, 3), keepdim=True) for axis in (x, y))
    spread = (weight * ((x - centre_x) ** 2 + (y - centre_y) ** 2)).sum((2, 3), keepdim=True).sqrt().clamp_min(0.05)
    return (x - centre_x) / spread, (y - centre_y) / spread


def _brushes(images: Tensor, masks: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Dodge or burn with one or two round soft brushes somewhere on the foreground, in linear light."""
    x, y = _places(masks)
    count, log_gain = len(images), torch.zeros_like(masks)
    for _ in range(2):
        at, size = 1.4 * uniform((count, 2, 1, 1), generator), 0.5 + torch.rand((count, 1, 1, 1), generator=generator)
        strength = ranges["dodge_burn"] * uniform((count, 1, 1, 1), generator)
        log_gain = log_gain + strength * (-((x - at[:, :1]) ** 2 + (y - at[:, 1:]) ** 2) / (2 * size**2)).exp()
    return _lit(images, log_gain * magnitude[:, None, None, None])


def _side_light(images: Tensor, masks: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Light from a side of the foreground, or the lack of it, falling off smoothly across, in linear light."""
    x, y = _places(masks)
    count = len(images)
    angle = torch.rand((count, 1, 1, 1), generator=generator) * 2 * torch.pi
    strength = ranges["gradient"] * uniform((count, 1, 1, 1), generator) * magnitude[:, None, None, None]
    return _lit(images, strength * torch.tanh(x * angle.cos() + y * angle.sin()))


def _lit(images: Tensor, log_gain: Tensor) -> Tensor:
    """Multiply by a gain in linear light that is `log_gain` in display values, about (the encoding's power is 2.2)."""
    return colour.encode((colour.decode(images) * (2.2 * log_gain).exp()).clamp(0.0, 1.0))
