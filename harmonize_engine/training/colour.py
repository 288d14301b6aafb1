"""Colour spaces for batches of photographs: display-encoded sRGB, linear light, CIELAB (D65)."""

import torch
from torch import Tensor

_rgb_to_xyz = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_white = (0.95047, 1.0, 1.08883)  # D65
_luma = (0.299, 0.587, 0.114)


def decode(encoded: Tensor) -> Tensor:
    """Turn display-encoded sRGB in [0,1] into linear light in [0,1] (IEC 61966-2-1)."""
    return torch.where(encoded <= 0.04045, encoded / 12.92, ((encoded.clamp_min(0.0) + 0.055) / 1.055) ** 2.4)


def encode(linear: Tensor) -> Tensor:
    """Turn linear light in [0,1] into display-encoded sRGB in [0,1] (IEC 61966-2-1)."""
    bright = 1.055 * linear.clamp_min(1e-8) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, linear * 12.92, bright)


def luma(encoded: Tensor) -> Tensor:
    """Weigh display-encoded sRGB (N, 3, H, W) into luma (N, 1, H, W), Rec. 601."""
    weights = torch.tensor(_luma, dtype=encoded.dtype, device=encoded.device)
    return (encoded * weights.view(1, 3, 1, 1)).sum(1, keepdim=True)


def lab(encoded: Tensor) -> Tensor:
    """Turn display-encoded sRGB (N, 3, H, W) into CIELAB, L in [0,100]."""
    matrix = torch.tensor(_rgb_to_xyz, dtype=encoded.dtype, device=encoded.device)
    white = torch.tensor(_white, dtype=encoded.dtype, device=encoded.device).view(1, 3, 1, 1)
    xyz = torch.einsum("ij,njhw->nihw", matrix, decode(encoded)) / white
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp_min(1e-8) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), 1)


def from_lab(values: Tensor) -> Tensor:
    """Turn CIELAB (N, 3, H, W) into display-encoded sRGB, clipped to [0,1]."""
    lightness, a, b = values.unbind(1)
    y = (lightness + 16) / 116
    f = torch.stack((y + a / 500, y, y - b / 200), 1)
    white = torch.tensor(_white, dtype=values.dtype, device=values.device).view(1, 3, 1, 1)
    xyz = torch.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * white
    matrix = torch.linalg.inv(torch.tensor(_rgb_to_xyz, dtype=torch.float64)).to(values)
    return encode(torch.einsum("ij,njhw->nihw", matrix, xyz).clamp(0.0, 1.0))
