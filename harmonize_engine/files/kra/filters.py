"""Krita's own filters for the adjustments: tone curves and saturation."""

from dataclasses import dataclass

import numpy as np

from harmonize_engine.curves import Curves, Floats
from harmonize_engine.saturation import Saturation
from harmonize_engine.splines import draggable_points, krita_curve, table_size

untouched = "0,0;1,1;"
one_level = 1 / 255
most_points, most_deep_points = 16, 33  # more are hard to drag; pictures deeper than 8 bit deserve a closer fit
slots = 8  # all colours, red, green, blue, alpha, hue, saturation, lightness


@dataclass(frozen=True)
class Filter:
    """A filter by Krita's id, with its parameters as Krita writes them."""

    id: str
    version: int
    parameters: dict[str, str]

    def to_xml(self) -> str:
        """Krita's .filterconfig."""
        lines = (f' <param name="{name}">{text}</param>\n' for name, text in self.parameters.items())
        return f'<!DOCTYPE params>\n<params version="{self.version}">\n{"".join(lines)}</params>\n'


def curves_filter(curves: Curves, tolerance: float) -> Filter:
    """Tone curves for display-encoded values as "Color Adjustment curves", within `tolerance` of the given ones."""
    tables = curves.table(table_size)
    drawn = [untouched, *(curve_text(table, tolerance) for table in tables), *[untouched] * (slots - 4)]
    return Filter("perchannel", 1, {"nTransfers": str(slots)} | {f"curve{slot}": text for slot, text in enumerate(drawn)})


def curve_text(table: Floats, tolerance: float) -> str:
    """A curve (256,) as Krita's "x,y;x,y;": few points to drag where they come within a level, else all 256."""
    tries = (
        ((most_points, tolerance), (most_points, one_level))
        if tolerance > one_level / 4
        else ((most_deep_points, tolerance),)
    )
    fits = (draggable_points(table, krita_curve, most, allowed) for most, allowed in tries)
    points = next((found for found in fits if found is not None), None)
    xs, ys = points or (np.linspace(0, 1, len(table)), table)
    return "".join(f"{x:.6g},{y:.6g};" for x, y in zip(xs, ys, strict=True))


def saturation_filter(saturation: Saturation) -> Filter:
    """Saturation as "HSV Adjustment" in HSL, in whole percent, all that Krita's slider has.

    Its older way of counting keeps the lightness, as ours does; it cuts off single channels where a colour is full, ours
    stops there.
    """
    percent = round(100 * saturation.amount)
    sliders = {"type": "1", "h": "0", "s": str(percent), "v": "0"}
    return Filter("hsvadjustment", 1, {**sliders, "colorize": "false", "compatibilityMode": "true"})
