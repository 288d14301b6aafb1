"""The renderer at 24 megapixels against a plain copy of the picture, and its peak memory."""

import tracemalloc
from pathlib import Path

import numpy as np

from benchmarks.timing import ratio, seconds
from harmonize_engine import Curves, Harmonization, Shading, render

height, width = 4000, 6000
random = np.random.default_rng(0)
curves = Curves.uniform(np.linspace(0, 1, 33) ** np.array([[0.8], [0.9], [1.3]]))
harmonization = Harmonization((curves, Shading(random.uniform(0.5, 1.7, (16, 16)))), "benchmark", "1")


def picture(depth: type) -> tuple[np.ndarray, np.ndarray]:
    """Noise, and a soft ellipse over a quarter of it."""
    white = 1 if depth is np.float32 else np.iinfo(depth).max
    pixels = (random.random((height, width, 3), dtype=np.float32) * white).astype(depth)
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return pixels, (np.clip((0.564 - np.hypot(y, x)) * 60 + 0.5, 0, 1) * 255).astype(np.uint8)


def measure(scratch: Path) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for depth, target in ((np.uint8, "30 times"), (np.uint16, "-"), (np.float32, "-")):
        pixels, mask = picture(depth)
        times = ratio(lambda p=pixels, m=mask: render(p, m, harmonization), pixels.copy)
        took = seconds(lambda p=pixels, m=mask: render(p, m, harmonization), 3)
        share = f"{100 * (mask > 0).mean():.0f} % mask"
        rows.append(
            (f"rendering 24 MP {depth.__name__}, {share}", f"{times:.1f} times a plain copy ({took:.2f} s)", target)
        )
    return [*rows, ("peak memory of rendering 24 MP uint8", f"{peak_memory():.2f} times the picture", "3 times")]


def peak_memory() -> float:
    """Most memory held at once while rendering, picture and mask included, in pictures."""
    tracemalloc.start()
    pixels, mask = np.full((height, width, 3), 99, np.uint8), np.zeros((height, width), np.uint8)
    mask[1000:3000, 1500:4500] = 200
    render(pixels, mask, harmonization)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / pixels.nbytes
