# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of GIMP's own Curves and Hue-Saturation effects, in the text form that an .xcf holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

samples = 256
identity = [k / 255 for k in range(samples)]
colours = ("red", "green", "blue")
channels = ("value", *colours, "alpha")
luma = (0.2126, 0.7152, 0.0722)  # of Rec. 709: how bright a grey pixel is after three different curves
hue_ranges = ("all", "red", "yellow", "green", "cyan", "blue", "magenta")
edited_by = 0.2 / 255  # less is rounding on the way to the file and back
most_points = 16
close_enough, too_far = 0.15 / 255, 1 / 255  # of a curve through points

Points = Sequence[tuple[float, float]]
Tables = dict[str, list[float]]


def tables(adjustment: dict, grey: bool) -> Tables:
    """Tone curves as the 256 levels GIMP keeps, by channel; those of a grey picture become one value curve."""
    of_channel = {name: sampled(adjustment["x"], y) for name, y in zip(colours, adjustment["y"], strict=True)}
    if not grey:
        return of_channel
    rows = zip(*(of_channel[name] for name in colours), strict=True)
    return {"value": [sum(w * y for w, y in zip(luma, row, strict=True)) for row in rows]}


def sampled(x: Sequence[float], y: Sequence[float]) -> list[float]:
    """The 256 levels k/255 between which straight lines follow best a curve that is linear between knots.

    A knot between two levels is cut off by them where they lie on the curve: both take half of what is missed there, so
    far as the curve keeps rising or falling.
    """
    values = _read(x, y)
    above, below = [0.0] * (samples + 1), [0.0] * (samples + 1)  # missed in the gap on the left of each level
    for knot, height in zip(x[1:-1], y[1:-1], strict=True):
        gap = min(int(255 * knot), samples - 2)
        missed = height - values[gap] - (255 * knot - gap) * (values[gap + 1] - values[gap])
        above[gap + 1], below[gap + 1] = max(above[gap + 1], missed), min(below[gap + 1], missed)
    shifted = [values[0]]
    for k in range(1, samples - 1):
        reach = [(values[k] + values[beside]) / 2 for beside in (k - 1, k + 1)] + [values[k]]
        wanted = values[k] + (max(above[k : k + 2]) + min(below[k : k + 2])) / 2
        shifted.append(min(max(wanted, min(reach)), max(reach)))
    return [*shifted, values[-1]]


def _read(x: Sequence[float], y: Sequence[float]) -> list[float]:
    """What a curve is at the 256 levels."""
    values, k = [], 0
    for level in identity:
        while k < len(x) - 2 and x[k + 1] < level:
            k += 1
        share = (level - x[k]) / (x[k + 1] - x[k])
        values.append(min(1.0, max(0.0, y[k] + share * (y[k + 1] - y[k]))))
    return values


def points_for(of_channel: Tables, told: list | None, grown: float = 1.0) -> dict[str, Points | None]:
    """Points to drag, by channel, None where 16 cannot follow.

    told: what the engine gives for red, green and blue; grown: `growth` of what follows, by which errors get worse.
    """
    told = told or [None] * 3
    of_engine = {name: list(zip(p["x"], p["y"], strict=True)) for name, p in zip(colours, told, strict=True) if p}
    found = {name: of_engine.get(name) or _fitted(table) for name, table in of_channel.items()}
    return {name: points if grown * _error(of_channel[name], points) < too_far else None for name, points in found.items()}


def growth(adjustments: Sequence[dict]) -> float:
    """How many times a difference may grow on its way through tone curves: the slopes where they are steepest."""
    grown = 1.0
    for adjustment in adjustments:
        if adjustment["kind"] == "curves":
            knots = [list(zip(adjustment["x"], y, strict=True)) for y in adjustment["y"]]
            grown *= max(abs(_slope(*ends)) for channel in knots for ends in pairwise(channel))
    return grown


def drawn(points: Points) -> list[float]:
    """GIMP's smooth curve through points, at the 256 levels: one cubic Bezier a segment, flat beyond the ends.

    At an inner point the tangent is parallel to the chord of its neighbours, and each handle reaches a third of its
    segment. The handle at an end lies half-way to its segment's other handle.
    """
    values, segment, last = [], 0, len(points) - 2
    handles = [_handles(points, k) for k in range(last + 1)]
    for level in identity:
        while segment < last and points[segment + 1][0] <= level:
            segment += 1
        (left, low), (right, high) = points[segment], points[segment + 1]
        t = min(1.0, max(0.0, (level - left) / (right - left)))
        leave, arrive = handles[segment]
        s = 1 - t
        values.append(min(1.0, max(0.0, s**3 * low + 3 * s * s * t * leave + 3 * s * t * t * arrive + t**3 * high)))
    return values


def _handles(points: Points, k: int) -> tuple[float, float]:
    """The y of both inner handles of segment k."""
    (left, low), (right, high) = points[k], points[k + 1]
    if len(points) == 2:
        return (2 * low + high) / 3, (low + 2 * high) / 3
    third = (right - left) / 3
    leave = arrive = None
    if k > 0:
        leave = low + third * _slope(points[k - 1], points[k + 1])
    if k < len(points) - 2:
        arrive = high - third * _slope(points[k], points[k + 2])
    if leave is None:
        leave = (low + arrive) / 2
    if arrive is None:
        arrive = (high + leave) / 2
    return leave, arrive


def _slope(one: tuple[float, float], other: tuple[float, float]) -> float:
    return (other[1] - one[1]) / (other[0] - one[0])


def _fitted(table: list[float]) -> Points:
    """Points whose curve follows a table, one more at a time where it is worst; for when the engine has none to tell."""
    found = best = [(0.0, table[0]), (1.0, table[-1])]
    least = _error(table, found)
    while len(found) < most_points and least > close_enough:
        curve, taken = drawn(found), [round(255 * x) for x, _ in found]
        free = [k for k in range(samples) if min(abs(k - other) for other in taken) > 2]
        worst = max(free, key=lambda k: abs(curve[k] - table[k]))
        found = sorted([*found, (worst / 255, table[worst])])
        error = _error(table, found)
        if error < least:
            best, least = found, error
    return best


def _error(table: list[float], points: Points) -> float:
    return max(abs(a - b) for a, b in zip(drawn(points), table, strict=True))


def curves_settings(of_channel: Tables, points: dict[str, Points | None]) -> str:
    """Settings of gimp:curves on the picture's own encoded values.

    With points the curve is a smooth one to drag, which GIMP draws by the exact samples until a point is moved; without
    it is a free-hand curve.
    """
    text = "(time 0)\n(trc non-linear)\n"
    for channel in channels:
        if channel in of_channel:
            curve = _curve(of_channel[channel], points.get(channel))
        else:
            curve = _curve(identity, [(0, 0), (1, 1)])
        text += f"(channel {channel})\n{curve}"
    return text


def saturation_settings(amount: float) -> str:
    """Settings of gimp:hue-saturation that scale the HSL saturation of all hues by 1 + amount."""
    ranges = "".join(
        f"(range {hue})\n(hue 0)\n(saturation {amount if hue == 'all' else 0:.9g})\n(lightness 0)\n" for hue in hue_ranges
    )
    return f"(time 0)\n{ranges}(overlap 0)\n"


def read_curves(saved: bytes) -> Tables | None:
    """Read the samples of the Curves effect in an .xcf that GIMP has saved, by channel; None where there is none."""
    text = saved.decode("latin-1")
    if "gimp:curves" not in text:
        return None
    text = text[text.index("gimp:curves") :]
    found = {}
    for channel, curve in re.findall(r"\(channel (\w+)\)\s*\(curve(.*?)(?=\(channel|\x00)", text, re.DOTALL):
        held = re.search(r"\(samples \d+ ([^)]*)\)", curve)
        found[channel] = [float(number) for number in held.group(1).split()] if held else identity
    return found


def edited(found: Tables | None, written: Tables, points: dict[str, Points | None]) -> bool:
    """Whether curves are neither the tables that were written nor what GIMP draws through the points."""
    if found is None:
        return True
    for channel in channels:
        now, table, through = found.get(channel, identity), written.get(channel, identity), points.get(channel)
        if _apart(now, table) and (through is None or _apart(now, drawn(through))):
            return True
    return False


def _apart(one: list[float], other: list[float]) -> bool:
    return len(one) != len(other) or any(abs(a - b) > edited_by for a, b in zip(one, other, strict=True))


def _curve(table: Sequence[float], points: Points | None) -> str:
    shape = "(curve-type free)"
    if points is not None:
        places = " ".join(f"{x:.9g} {y:.9g}" for x, y in points)
        kinds = " ".join(["smooth"] * len(points))
        shape = f"(curve-type smooth)\n    (points {2 * len(points)} {places})\n    (point-types {len(points)} {kinds})"
    numbers = " ".join(f"{y:.9g}" for y in table)
    return f"(curve\n    {shape}\n    (n-samples {len(table)})\n    (samples {len(table)} {numbers}))\n"
