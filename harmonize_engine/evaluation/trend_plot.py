"""Trends as an SVG drawing of its own: a panel for each thing that varies, amounts on a logarithmic axis."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from harmonize_engine.evaluation.trend import Trend

width, height, gap, legend = 520, 240, 74, 220
colours = ("#3a6fd8", "#d67810", "#2c9a55", "#d0443a", "#8a55c4", "#7a7a7a")


@dataclass(frozen=True)
class Series:
    """Points (amount, error) and the trend through them."""

    name: str
    points: Sequence[tuple[float, float]]
    trend: Trend | None


def svg(panels: Mapping[str, Sequence[Series]], measure: str, farther: float) -> str:
    """Draw every panel; dashed: trends, followed to `farther` times the largest amount."""
    drawn = [
        f'<g transform="translate(60 {34 + number * (height + gap)})">{_panel(what, series, measure, farther)}</g>'
        for number, (what, series) in enumerate(panels.items())
    ]
    total = 34 + len(drawn) * (height + gap)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + legend + 70} {total}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>\n'
    )


def _panel(what: str, series: Sequence[Series], measure: str, farther: float) -> str:
    amounts = [amount for each in series for amount, _ in each.points]
    first, last = floor(log10(min(amounts))), ceil(log10(farther * max(amounts)))
    most = 1.08 * max(error for each in series for _, error in each.points)

    def place(amount: float, error: float) -> tuple[str, str]:
        across = (log10(amount) - first) / (last - first)
        return f"{across * width:.1f}", f"{(1 - min(error, most) / most) * height:.1f}"

    parts = [f'<text y="-10">{escape(measure)} by {escape(what)}</text>']
    parts.append(f'<rect width="{width}" height="{height}" fill="none" stroke="#bbb"/>')
    for power in range(first, last + 1):
        x, _ = place(10.0**power, 0)
        parts.append(f'<path d="M{x} 0V{height}" stroke="#eee"/>')
        parts.append(f'<text x="{x}" y="{height + 16}" text-anchor="middle">{_short(power)}</text>')
    for share in (0, 0.5, 1):
        parts.append(f'<text x="-6" y="{height * (1 - share) + 4:.0f}" text-anchor="end">{most * share:.2f}</text>')
    for number, each in enumerate(series):
        colour = colours[number % len(colours)]
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in (place(*p) for p in each.points)]
        parts.append(_line(each, place, colour, farther))
        parts.append(f'<text x="{width + 10}" y="{14 + 16 * number}" fill="{colour}">{escape(each.name)}</text>')
    return "".join(parts)


def _line(series: Series, place: Callable[[float, float], tuple[str, str]], colour: str, farther: float) -> str:
    if series.trend is None:
        return ""
    amounts = [amount for amount, _ in series.points]
    low, high = log10(min(amounts)), log10(farther * max(amounts))
    steps = [10 ** (low + (high - low) * step / 40) for step in range(41)]
    points = " ".join(",".join(place(amount, series.trend.at(amount))) for amount in steps)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-dasharray="5 4"/>'


def _short(power: int) -> str:
    return f"{10**power:,}" if power < 4 else f"1e{power}"
