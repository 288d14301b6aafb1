"""Harmonizer's six white-box filters on one display-encoded picture (H, W, 3) in [0,1] (Ke et al., ECCV 2022).

Every filter takes a picture and one argument in [-1,1], 0 = unchanged, and clips its result.
"""

import numpy as np

from harmonize_engine.composite import Singles

epsilon = np.float32(1e-6)
ranges = {  # largest |argument| of a composite, in training as well
    "temperature": 0.3,
    "brightness": 0.5,
    "contrast": 0.5,
    "saturation": 0.6,
    "highlight": 0.4,
    "shadow": 0.4,
}


def temperature(image: Singles, argument: float) -> Singles:
    """Warm (> 0) or cool (< 0) by a gain per channel that depends on the picture's channel means."""
    means = image.mean((0, 1), dtype=np.float64)
    shifted = means + np.array([max(0.0, -argument), 0.5 * abs(argument), max(0.0, argument)])
    gain = 1 - means.mean() / (means + epsilon) + shifted.mean() / (shifted + epsilon)
    return np.clip(image * gain.astype(np.float32), 0, 1)


def brightness(image: Singles, argument: float) -> Singles:
    """Scale V of HSV; the same as scaling R, G and B up to the clip of V at 1."""
    gain = 1 / (1 - argument + epsilon) if argument >= 0 else 1 + argument
    largest = np.maximum(image.max(-1, keepdims=True), epsilon)
    return np.clip(image * np.minimum(np.float32(gain), 1 / largest), 0, 1)


def contrast(image: Singles, argument: float) -> Singles:
    """Stretch about the mean of the whole picture. Differs from the code: no floor, so x > 0 is continuous."""
    slope = 255 / (256 - 255 * argument) - 1 if argument > 0 else argument
    return np.clip(image + (image - image.mean(dtype=np.float64).astype(np.float32)) * np.float32(slope), 0, 1)


def saturation(image: Singles, argument: float) -> Singles:
    """Scale the distance of each pixel from its HSL lightness, as Photoshop's older saturation does."""
    most, least = image.max(-1, keepdims=True), image.min(-1, keepdims=True)
    lightness = (most + least) / 2
    if argument < 0:
        return np.clip(image + (image - lightness) * np.float32(argument), 0, 1)
    level = (most - least) / (np.where(lightness < 0.5, most + least, 2 - most - least) + epsilon)
    reach = np.where(argument + level > 1, level, np.float32(1 - argument))
    return np.clip(image + (image - lightness) * (1 / (reach + epsilon) - 1), 0, 1)


def highlight(image: Singles, argument: float) -> Singles:
    """Bend the bright end: 1 - (1 - in)^(x+1)."""
    return 1 - (1 - image) ** np.float32(argument + 1)


def shadow(image: Singles, argument: float) -> Singles:
    """Bend the dark end: in^(1-x)."""
    return image ** np.float32(1 - argument)


restore_order = (temperature, brightness, contrast, saturation, highlight, shadow)
