"""Held out from all training: the foreground has a film look, given by a three-dimensional lookup table.

The table is made by our own sketch of a subtractive process: exposure of three layers on a logarithmic scale, inhibition
between layers, an S-shaped characteristic curve for each layer with a speed and contrast of its own, dyes that deepen
saturated colours, tinted shadows and highlights, a faded black. Colours move by their hue and saturation, which no tone
curve can follow.

Display-encoded sRGB in [0,1]; `magnitude` in [0,1] scales every change.
"""

import numpy as np
from numpy.random import Generator

from harmonize_engine.composite import Singles
from harmonize_engine.evaluation import colour

nodes = 33  # of the table, each way


def look(image: Singles, magnitude: float, random: Generator) -> Singles:
    """Send a picture (H, W, 3) through a film look drawn at random."""
    return through(image, table(magnitude, random))


def table(magnitude: float, random: Generator) -> Singles:
    """Make the lookup table (nodes, nodes, nodes, 3), indexed by red, green, blue."""
    axis = np.linspace(0, 1, nodes, dtype=np.float32)
    colours = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    exposed = _exposures(colours, magnitude, random)
    toned = _characteristic(exposed, magnitude, random)
    return np.clip(_tinted(_deepened(toned, magnitude, random), magnitude, random), 0, 1).astype(np.float32)


def _exposures(colours: Singles, magnitude: float, random: Generator) -> Singles:
    """Stops above and below mid-grey that each layer receives, those of its neighbours taken away a little."""
    stops = np.log2(np.maximum(colour.decode(colours), np.float32(2e-3)) / np.float32(0.18))
    inhibition = random.uniform(-0.10, 0.22, (3, 3)) * magnitude
    np.fill_diagonal(inhibition, 0)
    matrix = np.eye(3) - inhibition + np.diag(inhibition.sum(1))
    speed = (random.uniform(-1.0, 1.0) + random.uniform(-0.5, 0.5, 3)) * magnitude
    return (stops @ matrix.T + speed).astype(np.float32)


def _characteristic(stops: Singles, magnitude: float, random: Generator) -> Singles:
    """Display values of each layer: an S-curve over the stops, mixed into the plain development."""
    contrast = random.uniform(0.75, 1.35) * random.uniform(0.9, 1.1, 3)
    plain = colour.encode(np.clip(np.float32(0.18) * np.exp2(stops), 0, 1))
    s_curve = 1 / (1 + np.exp(-(0.62 * contrast * stops - 0.16)))
    return (plain + magnitude * (s_curve - plain)).astype(np.float32)


def _deepened(values: Singles, magnitude: float, random: Generator) -> Singles:
    """Saturated colours become denser, all colours more or less saturated."""
    density, amount = random.uniform(0, 0.45) * magnitude, random.uniform(-0.4, 0.3) * magnitude
    grey = colour.luma(values)
    spread = values.max(-1, keepdims=True) - values.min(-1, keepdims=True)
    return (grey + (values - grey) * (1 + amount)) * (1 - density * spread**2)


def _tinted(values: Singles, magnitude: float, random: Generator) -> Singles:
    """Shadows and highlights take a tint each; black fades."""
    shadows, highlights = random.uniform(-0.07, 0.07, (2, 3)) * magnitude
    fade = max(0.0, random.uniform(-0.05, 0.08)) * magnitude
    grey = np.clip(colour.luma(values.astype(np.float32)), 0, 1)
    tint = shadows * grey * (1 - grey) ** 2 * 6.75 + highlights * grey**2 * (1 - grey) * 6.75
    return fade + values * (1 - fade) + tint


def through(image: Singles, table: Singles) -> Singles:
    """Look every pixel (..., 3) up in a table (N, N, N, 3), linear between its nodes."""
    last = table.shape[0] - 1
    place = np.clip(image, 0, 1).reshape(-1, 3) * np.float32(last)
    left = np.minimum(place.astype(np.intp), last - 1)
    red, green, blue = (share[:, None] for share in (place - left).astype(np.float32).T)
    flat, rows, planes = table.reshape(-1, 3), last + 1, (last + 1) ** 2
    start = left[:, 0] * planes + left[:, 1] * rows + left[:, 2]

    def along_blue(offset: int) -> Singles:
        low = flat[start + offset]
        return low + blue * (flat[start + offset + 1] - low)

    def along_green(offset: int) -> Singles:
        low = along_blue(offset)
        return low + green * (along_blue(offset + rows) - low)

    low = along_green(0)
    return (low + red * (along_green(planes) - low)).reshape(image.shape)
