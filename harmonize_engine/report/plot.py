"""Tone curves as an SVG drawing: R, G and B on a grid with the identity."""

from harmonize_engine.curves import Curves

side, margin = 320, 34
colours = {"R": "#d0443a", "G": "#2c9a55", "B": "#3a6fd8"}


def svg(curves: Curves) -> str:
    """Draw tone curves, display-encoded values 0..255 both ways; lines of the page's own colours through its classes."""
    quarter = side / 4
    grid = "".join(f'<path class="grid" d="M{i * quarter:g} 0V{side}M0 {i * quarter:g}H{side}"/>' for i in (1, 2, 3))
    lines = "".join(
        f'<polyline class="curve" stroke="{colour}" points="{_points(curves, c)}"/>'
        for c, colour in enumerate(colours.values())
    )
    heights = label_heights([(1 - curves.y[c, -1]) * side for c in range(3)], 13)
    lines += "".join(
        f'<text class="name" x="{side + 6}" y="{height + 4:.1f}" style="fill:{colour}">{name}</text>'
        for (name, colour), height in zip(colours.items(), heights, strict=True)
    )
    box = f"{-margin} {-10} {side + 2 * margin - 10} {side + margin + 10}"
    return (
        f'<svg viewBox="{box}" role="img" aria-label="Tone curves of red, green and blue">'
        f'{grid}<rect class="frame" width="{side}" height="{side}"/>'
        f'<path class="identity" d="M0 {side}L{side} 0"/>{lines}'
        f'<text x="0" y="{side + 20}">0</text><text x="{side}" y="{side + 20}" text-anchor="end">255</text>'
        f'<text x="{side / 2:g}" y="{side + 20}" text-anchor="middle">before</text>'
        f'<text x="-8" y="{side}" text-anchor="end">0</text><text x="-8" y="10" text-anchor="end">255</text>'
        f'<text x="-12" y="{side / 2:g}" text-anchor="middle" transform="rotate(-90 -12 {side / 2:g})">after</text>'
        "</svg>"
    )


def label_heights(ends: list[float], apart: float) -> list[float]:
    """Move the labels of curves that end close together apart, keeping their order; counted downwards."""
    order = sorted(range(len(ends)), key=lambda i: ends[i])
    heights = [ends[i] for i in order]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + apart)
    return [heights[order.index(i)] for i in range(len(ends))]


def _points(curves: Curves, channel: int) -> str:
    pairs = zip(curves.x * side, (1 - curves.y[channel]) * side, strict=True)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
