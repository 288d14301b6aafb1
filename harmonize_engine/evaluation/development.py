"""Held out from all training: the foreground was shot with another camera and developed by another raw converter.

The picture is taken back to scene-linear camera values (inverse tone curve, inverse sRGB), seen through other colour
filters (a 3 x 3 matrix that keeps white), balanced and exposed in linear light, clipped by the sensor, and developed
with another tone curve, either per channel, as most cameras do, or on the brightest channel with hues kept, as some
converters do. Unlike `retouching`, channels mix, highlights clip and tone depends on all three channels.

Pictures are (H, W, 3), display-encoded sRGB in [0,1]; `magnitude` in [0,1] scales every difference.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from harmonize_engine.composite import Singles
from harmonize_engine.curves import Floats
from harmonize_engine.evaluation import colour

base_contrast = 1.25  # slope in mid-grey of the tone curve that the photograph is taken to have


@dataclass(frozen=True, eq=False)
class Camera:
    """How another camera and converter differ; drawn at random, nothing but sizes is learnt from any photograph."""

    matrix: Floats  # (3, 3), rows sum to 1
    gains: Floats  # (3,), linear light
    contrast: float
    pivot: float  # display value that the tone curve keeps
    flare: float  # linear light added everywhere
    keeps_hue: bool

    @classmethod
    def draw(cls, magnitude: float, random: Generator) -> "Camera":
        """Draw a camera; at magnitude 0 it is the one that took the picture."""
        mixing = random.uniform(-0.16, 0.16, (3, 3)) * magnitude
        np.fill_diagonal(mixing, 0)
        matrix = np.eye(3) + mixing - np.diag(mixing.sum(1))
        kelvin, tint, stops = random.uniform(-1, 1, 3) * [0.45, 0.12, 1.3]
        log_gain = (np.array([kelvin, tint, -1.2 * kelvin]) + stops * np.log(2)) * magnitude
        contrast, pivot = base_contrast + random.uniform(-0.45, 0.45) * magnitude, random.uniform(0.3, 0.6)
        flare = max(0.0, random.uniform(-0.02, 0.03)) * magnitude
        return cls(matrix, np.exp(log_gain), contrast, pivot, flare, bool(random.integers(2)))


def develop(image: Singles, magnitude: float, random: Generator) -> Singles:
    """Show the picture as another camera and converter would have made it."""
    camera = Camera.draw(magnitude, random)
    scene = colour.decode(tone(image, 1 / base_contrast, camera.pivot))
    sensor = np.clip(scene @ camera.matrix.T.astype(np.float32), 0, None) * camera.gains.astype(np.float32)
    sensor = np.clip(sensor + np.float32(camera.flare), 0, 1)
    shown = colour.encode(sensor)
    developed = tone(shown, camera.contrast, camera.pivot)
    if camera.keeps_hue:
        largest = np.maximum(shown.max(-1, keepdims=True), np.float32(1e-4))
        kept = np.clip(shown * (tone(largest, camera.contrast, camera.pivot) / largest), 0, 1).astype(np.float32)
        developed = (developed + magnitude * (kept - developed)).astype(np.float32)
    return developed


def tone(values: Singles, contrast: float, pivot: float) -> Singles:
    """An S-shaped curve on display values: odds^contrast, so that 0, 1 and the pivot stay; 1/contrast undoes it."""
    v = np.clip(values, np.float32(1e-5), np.float32(1 - 1e-5))
    odds = (v / (1 - v) * np.float32((1 - pivot) / pivot)) ** np.float32(contrast) * np.float32(pivot / (1 - pivot))
    return (odds / (1 + odds)).astype(np.float32)
