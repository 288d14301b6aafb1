# SPDX-License-Identifier: GPL-3.0-or-later
"""Tone curves and saturation as the settings of Krita's own filters; pure functions.

In a display-encoded document the curves are the engine's. In a linear one they are rewritten for linear values:
x -> decode(curve(encode(x))), with the sRGB transfer function.
"""

from . import spline

curves_filter, saturation_filter = "perchannel", "hsvadjustment"
untouched, full = "0,0;1,1;", "0,1;1,1;"
slots, alpha_slot = 8, 4  # all colours, red, green, blue, alpha, hue, saturation, lightness
level = 1 / 255
easy_points = 16  # more are hard to drag
deep_points = 33  # deeper pictures deserve a closer fit; of a 16-bit curve Krita reads these places only


def encode(value):
    """Linear to display-encoded (sRGB)."""
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def decode(value):
    """Display-encoded (sRGB) to linear."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def tables(adjustment, is_linear):
    """The 256 values at k / 255 of each channel of a "curves" adjustment, in the document's own encoding."""
    knots = adjustment["x"]
    if not is_linear:
        return [[spline.linear(knots, channel, x) for x in spline.grid] for channel in adjustment["y"]]
    return [[decode(spline.linear(knots, channel, encode(x))) for x in spline.grid] for channel in adjustment["y"]]


def curves(adjustment, points, depth, is_linear=False, exact=False):
    """Three lists (xs, ys), red, green, blue: few points to drag, within half a level, deeper than 8 bit within a tenth.

    points: what the engine made for Krita's curve, per channel {"x", "y"} or None: within a level, they are taken in 8 bit
    where half a level asks for more points than can be dragged. exact: all 256 points of Krita's own table.
    """
    found = []
    for channel, table in enumerate(tables(adjustment, is_linear)):
        if exact:
            found.append(spline.even(table, len(spline.grid)))
            continue
        ready = points[channel] if points and depth == "U8" and not is_linear else None
        most = easy_points if depth == "U8" else deep_points
        fitted = spline.fitted(table, tolerances(table, depth, is_linear), most)
        engines = (ready["x"], ready["y"]) if ready else None
        found.append(fitted or engines or spline.even(table, len(spline.grid) if depth == "U8" else deep_points))
    return found


def tolerances(table, depth, is_linear):
    """How far a point's curve may be off at each of its 256 values: levels count where they are seen, display-encoded."""
    allowed = 0.5 * level if depth == "U8" else 0.1 * level
    if not is_linear:
        return [allowed] * len(table)
    return [max(decode(min(encode(value) + allowed, 1)) - value, allowed / 12.92) for value in table]


def curves_settings(channels):
    """The filter's parameters for three channels of points."""
    texts = ["".join(f"{x:.6g},{y:.6g};" for x, y in zip(xs, ys, strict=True)) for xs, ys in channels]
    drawn = [untouched, *texts, *[untouched] * (slots - 4)]
    return {"nTransfers": str(slots), **{f"curve{slot}": text for slot, text in enumerate(drawn)}}


def solid_settings():
    """The curves filter's parameters for making see-through pixels opaque."""
    drawn = [untouched] * slots
    drawn[alpha_slot] = full
    return {"nTransfers": str(slots), **{f"curve{slot}": text for slot, text in enumerate(drawn)}}


def saturation_settings(amount):
    """Krita's "HSV Adjustment" in HSL, whole percent; its older way of counting keeps the lightness, as the engine does."""
    sliders = {"type": "1", "h": "0", "s": str(round(100 * amount)), "v": "0"}
    return {**sliders, "colorize": "false", "compatibilityMode": "true"}


def same(settings, others):
    """Whether two settings of a filter do the same, whatever the digits and the channel that its dialog showed last."""
    keys = {*settings, *others} - {"nTransfers", "activeCurve"}
    return all(_plain(settings.get(key)) == _plain(others.get(key)) for key in keys)


def _plain(setting):
    text = str(setting)
    if ";" not in text:
        return text.lower()
    return [tuple(round(float(part), 4) for part in point.split(",")[:2]) for point in text.split(";") if point]


def knots(setting):
    """The points (xs, ys) in a curve's setting."""
    points = [point.split(",") for point in str(setting).split(";") if point]
    return [float(point[0]) for point in points], [float(point[1]) for point in points]
