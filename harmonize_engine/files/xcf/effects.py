"""Layer effects of an .xcf: GIMP's own Curves and Hue-Saturation, which open in their usual dialogs."""

from dataclasses import dataclass

import numpy as np

from harmonize_engine.curves import Curves, Floats
from harmonize_engine.saturation import Saturation
from harmonize_engine.splines import draggable_points, gimp_curve

samples = 256
identity = np.linspace(0, 1, samples)
diagonal = np.array([0.0, 1.0]), np.array([0.0, 1.0])
hue_ranges = ("all", "red", "yellow", "green", "cyan", "blue", "magenta")
non_linear = 1  # GIMP's number for "the image's own display-encoded values"


@dataclass(frozen=True)
class Effect:
    """One non-destructive effect: an operation of GIMP and its settings as GIMP writes them.

    settings: GIMP's text form; transfer: in which values it works, None where the operation has no such choice.
    """

    name: str
    operation: str
    settings: str
    transfer: int | None = None


def curves_effect(curves: Curves, name: str) -> Effect:
    """Tone curves with few smooth points to drag and the closest samples, which GIMP draws until a point is moved.

    Where 16 points do not follow a channel within one 8-bit level it becomes a free-hand curve of the samples.
    """
    channels = {"value": _curve(identity, diagonal)}
    for channel, y in zip(("red", "green", "blue"), curves.y, strict=True):
        table = closest_samples(curves.x, y)
        channels[channel] = _curve(table, draggable_points(table, gimp_curve))
    channels["alpha"] = _curve(identity, diagonal)
    text = "".join(f"(channel {channel})\n{curve}" for channel, curve in channels.items())
    return Effect(name, "gimp:curves", f"(time 0)\n(trc non-linear)\n{text}", transfer=non_linear)


def closest_samples(x: Floats, y: Floats) -> Floats:
    """The 256 samples between which straight lines follow best a display-encoded tone curve with knots x, y; (256,).

    A knot between two samples is cut off by them where they lie on the curve: both take half of what is missed there,
    so far as the curve keeps rising or falling. x: (K,) from 0 to 1; y: (K,) in [0,1], as of `Curves`.
    """
    values = np.interp(identity, x, y)
    gap = np.minimum((x[1:-1] * (samples - 1)).astype(int), samples - 2)
    missed = y[1:-1] - np.interp(x[1:-1], identity, values)
    above, below = np.zeros(samples - 1), np.zeros(samples - 1)  # in the gap on the right of each sample
    np.maximum.at(above, gap, missed)
    np.minimum.at(below, gap, missed)
    shift = (np.maximum(above[:-1], above[1:]) + np.minimum(below[:-1], below[1:])) / 2
    middle, inner = (values[:-1] + values[1:]) / 2, values[1:-1]
    reach = np.stack([middle[:-1], inner, middle[1:]])
    values[1:-1] = np.clip(inner + shift, reach.min(axis=0), reach.max(axis=0))
    return values


def saturation_effect(saturation: Saturation, name: str) -> Effect:
    """HSL saturation times 1 + amount for all hues: GIMP's own formula, so that the amount is its setting."""
    amounts = {"all": saturation.amount}
    ranges = "".join(
        f"(range {hue})\n(hue 0)\n(saturation {_number(amounts.get(hue, 0))})\n(lightness 0)\n" for hue in hue_ranges
    )
    return Effect(name, "gimp:hue-saturation", f"(time 0)\n{ranges}(overlap 0)\n")


def _curve(table: Floats, points: tuple[Floats, Floats] | None) -> str:
    shape = "(curve-type free)"
    if points is not None:
        places = np.stack(points, axis=-1).ravel()
        kinds = " ".join(["smooth"] * len(points[0]))
        shape = (
            f"(curve-type smooth)\n    (points {len(places)} {_numbers(places)})"
            f"\n    (point-types {len(points[0])} {kinds})"
        )
    return f"(curve\n    {shape}\n    (n-samples {len(table)})\n    (samples {len(table)} {_numbers(table)}))\n"


def _numbers(values: Floats) -> str:
    return " ".join(map(_number, values))


def _number(value: float) -> str:
    return f"{value:.9g}"
