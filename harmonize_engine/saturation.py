"""Saturation: one number for all pixels, on display-encoded values."""

import math
from dataclasses import dataclass

import numpy as np

from harmonize_engine.curves import Floats
from harmonize_engine.errors import HarmonizeError


@dataclass(frozen=True)
class Saturation:
    """Scale the HSL saturation of display-encoded values by 1 + amount, at most to full saturation.

    amount in [-1,1]: -1 = grey, 0 = unchanged, 1 = twice as saturated. Harmonizer's argument x (Ke et al., ECCV 2022) is
    amount = x for x <= 0 and 1 / (1 - x) - 1 for x > 0. strength in [0,1] mixes the result with the original, as a layer's
    opacity does. Raises HarmonizeError `bad_saturation` outside these ranges.
    """

    amount: float
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.strength) and 0 <= self.strength <= 1):
            raise HarmonizeError("bad_saturation", f"Strength must lie between 0 and 1, not {self.strength}.")
        if not (math.isfinite(self.amount) and -1 <= self.amount <= 1):
            raise HarmonizeError("bad_saturation", f"Saturation must lie between -1 and 1, not {self.amount}.")

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return self.amount == 0 or self.strength == 0

    def apply(self, values: Floats) -> Floats:
        """Change display-encoded values (..., 3) in [0,1]; hue and HSL lightness stay."""
        most, least = values.max(-1, keepdims=True), values.min(-1, keepdims=True)
        lightness, chroma = (most + least) / 2, most - least
        room = 1 - np.abs(2 * lightness - 1)  # the largest chroma at this lightness
        scale = np.minimum(1 + self.amount, room / np.maximum(chroma, 1e-12))
        scale = np.where(chroma > 0, scale, 1.0)
        changed = np.clip(lightness + (values - lightness) * scale, 0.0, 1.0)
        return changed if self.strength == 1 else values + self.strength * (changed - values)

    def blend(self, strength: float) -> "Saturation":
        """Mix with "unchanged"; 0 = no change."""
        return Saturation(self.amount, self.strength * strength)
