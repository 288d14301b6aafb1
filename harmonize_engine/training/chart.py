"""A run's curves as an SVG drawing: panels over the steps, one line for each number."""

from collections.abc import Sequence
from typing import Any

width, height, gap = 520, 190, 46
colours = ("#3a6fd8", "#d67810", "#2c9a55", "#d0443a", "#8a55c4", "#7a7a7a")
panels = {  # title: the numbers that it shows
    "training error": ("error", "harm"),
    "validation, fMSE against the composite's": (
        "ratio_filters",
        "ratio_statistics",
        "ratio_retouch",
        "ratio_darkroom",
        "ratio_pairs",
        "ratio_mild",
    ),
    "validation, share made worse": ("worse",),
    "validation, levels moved untouched": ("untouched_levels",),
    "the discriminator's belief": ("belief in photographs", "belief in results"),
}


def svg(lines: Sequence[dict[str, Any]]) -> str:
    """Draw what there is of every panel; lines: numbers by name, each with its step."""
    drawn: list[str] = []
    for title, names in panels.items():
        found = {name: [(line["step"], line[name]) for line in lines if name in line] for name in names}
        found = {name: points for name, points in found.items() if points}
        if found:
            drawn.append(f'<g transform="translate(56 {24 + len(drawn) * (height + gap)})">{_panel(title, found)}</g>')
    total = 24 + len(drawn) * (height + gap)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 220} {total}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>\n'
    )


def _panel(title: str, series: dict[str, list[tuple[float, float]]]) -> str:
    last = max(step for points in series.values() for step, _ in points) or 1
    most = max(1e-9, *(value for points in series.values() for _, value in points)) * 1.05
    parts = [f'<text y="-8">{title}</text><rect width="{width}" height="{height}" fill="none" stroke="#bbb"/>']
    for share in (0, 0.5, 1):
        y, x = height * (1 - share), width * share
        parts.append(f'<text x="-6" y="{y + 4:.0f}" text-anchor="end">{most * share:.3g}</text>')
        parts.append(f'<text x="{x:.0f}" y="{height + 16}" text-anchor="middle">{last * share:.0f}</text>')
    for number, (name, points) in enumerate(series.items()):
        colour = colours[number % len(colours)]
        line = " ".join(f"{x / last * width:.1f},{(1 - y / most) * height:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        label = f"{name.replace('_', ' ')} {points[-1][1]:.3g}"
        parts.append(f'<text x="{width + 8}" y="{14 + 16 * number}" fill="{colour}">{label}</text>')
    return "".join(parts)
