"""What an artist does to a pasted foreground: exposure and white balance, tone curves, saturation, dodge and burn.

Pictures are (H, W, 3), display-encoded sRGB in [0,1]; `magnitude` in [0,1] scales every change from nothing to the full
range. What is drawn at random never depends on the picture's size: the same seed makes the same change at any size.
"""

import numpy as np
from numpy.random import Generator
from PIL import Image

from harmonize_engine.composite import Singles
from harmonize_engine.curves import Floats
from harmonize_engine.evaluation import colour

# Full magnitude is as strong as what is published: over the validation photographs the mean MSE is 381 and the mean fMSE
# 1384 (RealHM's composites: MSE 404; iHarmony4's: fMSE 1387). Training draws from the same ranges.
ranges = {
    "exposure": 1.5,  # stops, in linear light
    "temperature": 0.35,  # log gain of red against blue, in linear light
    "tint": 0.10,  # log gain of green, in linear light
    "tone": 0.20,  # largest shift of a tone curve's inner points, display values
    "channel": 0.08,  # the same, for each channel on its own
    "saturation": 0.50,
    "dodge_burn": 0.55,  # log gain of the low-frequency field
    "gradient": 0.60,  # log gain from one side of the picture to the other
}


def retouch(image: Singles, magnitude: float, random: Generator) -> Singles:
    """Exposure and white balance, tone curves, saturation, and in two of three pictures local dodge and burn."""
    changed = develop(image, magnitude, random)
    curves = tone_curves(magnitude, random)
    changed = np.stack([np.interp(changed[..., c], np.linspace(0, 1, 33), curves[c]) for c in range(3)], -1)
    changed = changed.astype(np.float32)
    grey = colour.luma(changed)
    slope = np.float32(1 + ranges["saturation"] * magnitude * random.uniform(-1, 1))
    changed = np.clip(grey + (changed - grey) * slope, 0, 1).astype(np.float32)
    light = random.integers(3)
    return relight(changed, magnitude, random) if light else changed


def develop(image: Singles, magnitude: float, random: Generator) -> Singles:
    """Develop as a raw converter would: exposure, temperature and tint in linear light, with a soft shoulder."""
    stops, warmth, tint = random.uniform(-1, 1, 3) * [ranges["exposure"], ranges["temperature"], ranges["tint"]]
    log_gain = np.array([warmth, tint, -warmth]) + stops * np.log(2)
    gain = np.exp(log_gain * magnitude).astype(np.float32)
    linear = colour.decode(image)
    # bright pixels approach white instead of clipping hard
    return colour.encode(np.clip(linear * gain / (1 + np.maximum(gain - 1, 0) * linear), 0, 1))


def tone_curves(magnitude: float, random: Generator, knots: int = 33) -> Floats:
    """Smooth rising curves (3, knots) through five points, the inner three shifted: together and, less, by channel."""
    x = np.linspace(0, 1, knots)
    shift = (ranges["tone"] * random.uniform(-1, 1, (1, 3)) + ranges["channel"] * random.uniform(-1, 1, (3, 3))) * magnitude
    bumps = np.stack([np.sin(np.pi * x ** (np.log(2) / -np.log(p))) ** 2 for p in (0.2, 0.5, 0.8)])
    return np.maximum.accumulate(np.clip(x + shift @ bumps * 0.8, 0, 1), axis=1)


def relight(image: Singles, magnitude: float, random: Generator, stronger: float = 1.0) -> Singles:
    """Dodge and burn: a field of low frequency or a gradient across the picture, in display values or in linear light.

    stronger: multiplies the ranges.
    """
    height, width = image.shape[:2]
    size, kind, linear = 3 + random.integers(3), random.integers(2), random.integers(2)
    field = random.uniform(-1, 1, (size, size)) * ranges["dodge_burn"]
    angle, strength = random.uniform(0, 2 * np.pi), random.uniform(-1, 1) * ranges["gradient"]
    if kind:
        log_gain = _spread(field, height, width)
    else:
        y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
        log_gain = (x * np.cos(angle) + y * np.sin(angle)) * strength
    gain = np.exp(log_gain * (magnitude * stronger)).astype(np.float32)[..., None]
    if linear:
        return colour.encode(np.clip(colour.decode(image) * gain**2, 0, 1))
    return np.clip(image * gain, 0, 1)


def _spread(field: Floats, height: int, width: int) -> Singles:
    """Enlarge a small field smoothly to a picture's size."""
    return np.asarray(Image.fromarray(field.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC))
