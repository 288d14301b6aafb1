"""The drawings of a benchmark's page, as SVG in the page's own colours."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, floor

from harmonize_engine.evaluation.reliability import Calibration, Gate

side, margin = 320, 44
before_colour, after_colour = "#3a6fd8", "#d67810"


def reliability(before: Calibration, after: Calibration) -> str:
    """Predicted harmony across, true harmony up; bars span the middle half of each bin."""
    drawn = "".join(_calibration(c, colour) for c, colour in ((before, before_colour), (after, after_colour)))
    identity = f'<path class="identity" d="M0 {side}L{side} 0"/>'
    return _frame(identity + drawn, "predicted harmony", "true harmony", "Predicted against true harmony")


def gain(found: Calibration) -> str:
    """Predicted gain across, true gain up, in levels; bars span the middle half of each bin."""
    ends = [value for b in found.bins for value in (b.predicted, b.low, b.high)]
    low, high = 10 * floor(min(0.0, *ends) / 10), 10 * ceil(max(10.0, *ends) / 10)

    def share(levels: float) -> float:
        return (levels - low) / (high - low)

    bins = tuple(replace(b, **{n: share(getattr(b, n)) for n in ("predicted", "true", "low", "high")}) for b in found.bins)
    nothing = f'<path class="frame" d="M{_x(share(0))} 0V{side}M0 {_y(share(0))}H{side}"/>'
    identity = f'<path class="identity" d="M0 {side}L{side} 0"/>'
    drawn = identity + nothing + _calibration(replace(found, bins=bins), after_colour)
    return _frame(drawn, "predicted gain, levels", "true gain", "Predicted against true gain", low, high)


def gate(found: Gate) -> str:
    """Share left alone across, share made worse and what is left of the error up; dots: the model's own gate."""
    series = ((found.worse, found.now[1], before_colour), (found.ratio, found.now[2], after_colour))
    drawn = "".join(
        _line(found.left, values, colour) + _dot(found.now[0], now, colour, 5) for values, now, colour in series
    )
    return _frame(drawn, "share left alone", "share of all", "What leaving pictures alone does")


def _calibration(found: Calibration, colour: str) -> str:
    x, y = [b.predicted for b in found.bins], [b.true for b in found.bins]
    bars = "".join(
        f'<path stroke="{colour}" class="bar" d="M{_x(b.predicted)} {_y(b.low)}V{_y(b.high)}"/>' for b in found.bins
    )
    return bars + _line(x, y, colour) + "".join(_dot(a, b, colour, 3.2) for a, b in zip(x, y, strict=True))


def _frame(drawn: str, across: str, up: str, label: str, low: float = 0, high: float = 1) -> str:
    ticks = (0, 0.25, 0.5, 0.75, 1)
    grid = "".join(f'<path class="grid" d="M{_x(t)} 0V{side}M0 {_y(t)}H{side}"/>' for t in ticks[1:-1])
    numbers = "".join(
        f'<text x="{_x(t)}" y="{side + 17}" text-anchor="middle">{low + t * (high - low):g}</text>'
        f'<text x="-8" y="{float(_y(t)) + 4:g}" text-anchor="end">{low + t * (high - low):g}</text>'
        for t in ticks
    )
    return (
        f'<svg viewBox="{-margin} -10 {side + margin + 16} {side + margin + 8}" role="img" aria-label="{label}">'
        f'{grid}<rect class="frame" width="{side}" height="{side}"/>{drawn}{numbers}'
        f'<text x="{side / 2:g}" y="{side + 34}" text-anchor="middle">{across}</text>'
        f'<text x="-32" y="{side / 2:g}" text-anchor="middle" transform="rotate(-90 -32 {side / 2:g})">{up}</text></svg>'
    )


def _line(x: Sequence[float], y: Sequence[float], colour: str) -> str:
    points = " ".join(f"{_x(a)},{_y(b)}" for a, b in zip(x, y, strict=True))
    return f'<polyline class="curve" stroke="{colour}" points="{points}"/>'


def _dot(x: float, y: float, colour: str, radius: float) -> str:
    return f'<circle class="dot" fill="{colour}" cx="{_x(x)}" cy="{_y(y)}" r="{radius}"/>'


def _x(value: float) -> str:
    return f"{min(max(value, 0), 1) * side:.1f}"


def _y(value: float) -> str:
    return f"{(1 - min(max(value, 0), 1)) * side:.1f}"
