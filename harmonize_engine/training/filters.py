"""Harmonizer's six white-box filters on batches of display-encoded sRGB in [0,1] (Ke et al., ECCV 2022).

Every filter takes images (N, 3, H, W) and one argument per image (N,) in [-1,1], 0 = unchanged, and clips its result.
"""

import torch
from torch import Tensor

from harmonize_engine.evaluation.filters import ranges as ranges

epsilon = 1e-6


def temperature(images: Tensor, argument: Tensor) -> Tensor:
    """Warm (> 0) or cool (< 0) by a gain per channel that depends on the image's channel means."""
    means = images.mean((2, 3))
    gain = 1 - means.mean(1, keepdim=True) / (means + epsilon)
    red, green, blue = means.unbind(1)
    shifted = torch.stack(
        (red + argument.clamp_max(0).neg(), green + 0.5 * argument.abs(), blue + argument.clamp_min(0)), 1
    )
    gain = gain + shifted.mean(1, keepdim=True) / (shifted + epsilon)
    return (images * gain[:, :, None, None]).clamp(0.0, 1.0)


def brightness(images: Tensor, argument: Tensor) -> Tensor:
    """Scale V of HSV; the same as scaling R, G and B up to the clip of V at 1."""
    gain = torch.where(argument >= 0, 1 / (1 - argument + epsilon), 1 + argument)[:, None, None, None]
    largest = images.amax(1, keepdim=True).clamp_min(epsilon)
    return (images * torch.minimum(gain, 1 / largest)).clamp(0.0, 1.0)


def contrast(images: Tensor, argument: Tensor) -> Tensor:
    """Stretch about the mean of the whole image. Differs from the code: no floor, so x > 0 is continuous."""
    middle = images.mean((1, 2, 3), keepdim=True)
    x = argument[:, None, None, None]
    slope = torch.where(x > 0, 255 / (256 - 255 * x) - 1, x)
    return (images + (images - middle) * slope).clamp(0.0, 1.0)


def saturation(images: Tensor, argument: Tensor) -> Tensor:
    """Scale the distance of each pixel from its HSL lightness, as Photoshop's older saturation does."""
    most, least = images.amax(1, keepdim=True), images.amin(1, keepdim=True)
    lightness = (most + least) / 2
    spread = torch.where(lightness < 0.5, most + least, 2 - most - least)
    level = (most - least) / (spread + epsilon)
    x = argument[:, None, None, None]
    reach = torch.where(x + level > 1, level, 1 - x)
    slope = torch.where(x >= 0, 1 / (reach + epsilon) - 1, x)
    return (images + (images - lightness) * slope).clamp(0.0, 1.0)


def highlight(images: Tensor, argument: Tensor) -> Tensor:
    """Bend the bright end: 1 - (1 - in)^(x+1)."""
    return 1 - (1 - images + 1e-9) ** (argument[:, None, None, None] + 1)


def shadow(images: Tensor, argument: Tensor) -> Tensor:
    """Bend the dark end: in^(1-x)."""
    return (images + 1e-9) ** (1 - argument[:, None, None, None])


restore_order = (temperature, brightness, contrast, saturation, highlight, shadow)
