"""Turn what any tool made of a foreground into curves and a light map, by weighted least squares.

Solves out = g(x, y) * f_c(in) for one tone curve f per channel and one low-resolution gain map g, alternately: with g fixed
the knots of each curve are a linear least-squares problem, with the curves fixed so are the cells of g. Both carry a small
roughness penalty, so that knots and cells that the foreground hardly touches follow their neighbours, and a weaker pull to
"unchanged" for those it does not touch at all.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harmonize_engine.composite import Composite, Pixels, Singles, proxy
from harmonize_engine.curves import Curves, Floats
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.render import exact
from harmonize_engine.shading import axis, from_gain

version = "1"


@dataclass(frozen=True)
class FitConfig:
    """How finely to fit."""

    knots: int = 33  # of each curve, uniform on [0,1]
    cells: int = 16  # of the light map, along the longer side
    rounds: int = 12  # curves and light in turn
    roughness: float = 1e-3  # of curves, per pixel of weight
    unevenness: float = 1e-3  # of the light map, per pixel of weight
    lowest: float = 0.4  # gain
    highest: float = 2.0  # gain
    long_side: int = 256  # of the proxy that is fitted


def fit(before: Pixels, after: Pixels, mask: Pixels, config: FitConfig | None = None) -> Harmonization:
    """Express the change from `before` to `after` under `mask` as curves and a light map, on display-encoded values.

    before, after: (H, W, 3) of one size, mask: (H, W), 1 = foreground; uint8, uint16 or floats in [0,1]. Where `after` was
    blended by the mask, soft edges count by their weight. The residual, RMS over the foreground in 8-bit levels, tells what
    curves and light cannot express. Raises HarmonizeError `mask_size`, `mask_empty`, `mask_full`.
    """
    config = config or FitConfig()
    composite = proxy(before, mask, after, long_side=config.long_side)
    assert composite.background is not None
    return fit_proxy(composite, composite.background, config)


def fit_proxy(composite: Composite, target: Singles, config: FitConfig, light: bool = True) -> Harmonization:
    """Fit curves, and light where asked, to a target of the composite's own size."""
    mask = composite.mask.astype(np.float64)
    rows, columns = np.nonzero(mask > 0.02)
    weight = mask[rows, columns] ** 2  # the error of out = C*(1-m) + m*h is m * (h - wanted): weighted by m squared
    source = composite.image[rows, columns].astype(np.float64)
    blended = target[rows, columns].astype(np.float64)
    # undo the blend, so that h itself is fitted; at faint edges this is noisy, and weighs little
    m = mask[rows, columns, None]
    wanted = np.clip((blended - source * (1 - m)) / m, -0.5, 1.5)
    seen = wanted < 254 / 255  # a clipped pixel only says "at least this bright": kept, but it bounds no curve from above
    height, width = mask.shape
    cells = _cells(height, width, config.cells)
    spread = _Spread.bilinear(rows, columns, (height, width), cells)
    gain = np.ones(cells)
    curves = Curves.identity()
    for _ in range(config.rounds if light else 1):
        here = spread.apply(gain)
        knots = np.stack(
            [_curve(source[:, c], wanted[:, c], here, weight * np.where(seen[:, c], 1, 0.3), config) for c in range(3)]
        )
        curves = Curves.uniform(_rising(knots))
        if light:
            gain = np.clip(
                _gains(spread, curves.apply(source), wanted, weight, gain.shape, config), config.lowest, config.highest
            )
    shading = from_gain(gain) if light else None
    adjustments = (curves,) if shading is None or shading.is_identity else (curves, shading)
    result = Harmonization(adjustments, model="fit", version=version)
    return replace(result, residual=residual(composite, target, result))


def residual(composite: Composite, target: Singles, harmonization: Harmonization) -> float:
    """Measure what a Harmonization leaves of the way to a target: RMS over the foreground, 8-bit levels."""
    out = exact(composite.image, composite.mask, harmonization)
    weight = composite.mask.astype(np.float64)
    squared = ((out - target) ** 2).mean(-1)
    return float(255 * np.sqrt((squared * weight).sum() / weight.sum()))


def _cells(height: int, width: int, most: int) -> tuple[int, int]:
    share = most / max(height, width)
    return max(1, round(height * share)), max(1, round(width * share))


def _curve(source: Floats, wanted: Floats, gain: Floats, weight: Floats, config: FitConfig) -> Floats:
    """Solve the knots of one channel: sum w (g * f(in) - out)^2 + roughness."""
    last = config.knots - 1
    place = np.clip(source, 0, 1) * last
    left = np.minimum(place.astype(np.intp), last - 1)
    share = place - left
    normal = np.zeros((config.knots, config.knots))
    right_side = np.zeros(config.knots)
    for offset, part in ((0, 1 - share), (1, share)):
        np.add.at(right_side, left + offset, weight * gain * part * wanted)
        for other, against in ((0, 1 - share), (1, share)):
            np.add.at(normal, (left + offset, left + other), weight * gain**2 * part * against)
    bend = np.diff(np.eye(config.knots), 2, axis=0)
    total = weight.sum()
    identity = np.linspace(0, 1, config.knots)
    normal += total * (config.roughness * bend.T @ bend + 1e-6 * np.eye(config.knots))
    right_side += total * 1e-6 * identity
    return np.linalg.solve(normal, right_side)


def _rising(knots: Floats) -> Floats:
    """Make curves that an artist can read: never falling, within [0,1]."""
    return np.maximum.accumulate(np.clip(knots, 0, 1), axis=1)


@dataclass(frozen=True, eq=False)
class _Spread:
    """The four cells, with weights, that each foreground pixel of a light map is made of."""

    index: NDArray[np.intp]  # (4, n)
    share: Floats  # (4, n)

    @classmethod
    def bilinear(
        cls, rows: NDArray[np.intp], columns: NDArray[np.intp], size: tuple[int, int], cells: tuple[int, int]
    ) -> "_Spread":
        down, across = axis(cells[0], size[0]), axis(cells[1], size[1])
        corners = [
            (side_y[rows] * cells[1] + side_x[columns], part_y[rows] * part_x[columns])
            for side_y, part_y in ((down.left, 1 - down.share), (down.right, down.share))
            for side_x, part_x in ((across.left, 1 - across.share), (across.right, across.share))
        ]
        return cls(np.stack([index for index, _ in corners]), np.stack([share for _, share in corners]))

    def apply(self, gain: Floats) -> Floats:
        return (gain.ravel()[self.index] * self.share).sum(0)


def _gains(
    spread: _Spread, curved: Floats, wanted: Floats, weight: Floats, shape: tuple[int, ...], config: FitConfig
) -> Floats:
    """Solve the cells of the light map: sum w (g * f - out)^2 over the channels + unevenness."""
    count = int(np.prod(shape))
    normal = np.zeros((count, count))
    right_side = np.zeros(count)
    light, product = (curved**2).sum(1) * weight, (curved * wanted).sum(1) * weight
    for a in range(4):
        np.add.at(right_side, spread.index[a], product * spread.share[a])
        for b in range(4):
            np.add.at(normal, (spread.index[a], spread.index[b]), light * spread.share[a] * spread.share[b])
    steps = _neighbours(shape[0], shape[1])
    total = light.sum() / max(1, count)
    normal += total * (config.unevenness * steps.T @ steps + 1e-5 * np.eye(count))
    right_side += total * 1e-5
    return np.linalg.solve(normal, right_side).reshape(shape)


def _neighbours(height: int, width: int) -> Floats:
    """Differences between cells that touch, one row each."""
    number = np.arange(height * width).reshape(height, width)
    pairs = np.concatenate(
        [
            np.stack((number[:, :-1].ravel(), number[:, 1:].ravel()), 1),
            np.stack((number[:-1].ravel(), number[1:].ravel()), 1),
        ]
    )
    steps = np.zeros((len(pairs), height * width))
    steps[np.arange(len(pairs)), pairs[:, 0]] = 1
    steps[np.arange(len(pairs)), pairs[:, 1]] = -1
    return steps
