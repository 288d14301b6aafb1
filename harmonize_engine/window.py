"""The window: which part of a picture a network looks at.

A foreground that fills a twentieth of a picture is a smudge in a network's small input; its window holds as much of the
picture around it as there is to compare it with, and shows it large.
"""

from dataclasses import dataclass

import numpy as np

from harmonize_engine.composite import Composite, Singles
from harmonize_engine.curves import Floats
from harmonize_engine.shading import Shading, from_gain

margin = 0.15  # of its box, that a foreground has on each side at least
least_side = 64  # pixels: looking at fewer shows no more
visible = 0.1  # of the mask: fainter pixels do not belong to the box
most_cells = 128  # of a light map, each way


@dataclass(frozen=True)
class Window:
    """A part of a picture, in pixels: rows from `top` to before `bottom`, columns from `left` to before `right`."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    def cut(self, composite: Composite) -> Composite:
        """Cut every plane of a composite in display-encoded sRGB."""
        rows, columns = slice(self.top, self.bottom), slice(self.left, self.right)
        planes = (composite.image, composite.mask, composite.background, composite.reference)
        image, mask, *others = (None if plane is None else plane[rows, columns] for plane in planes)
        assert image is not None and mask is not None
        return Composite(image, mask, *others)

    def spread(self, light: Shading, height: int, width: int) -> Shading:
        """Make a light map that covers the window into one that covers a picture (height, width), with cells as large.

        Beyond the window the gains of its border go on.
        """
        if (self.height, self.width) == (height, width):
            return light
        tall = _resampled(light.gain, (self.top, self.height), (0, height))
        return from_gain(_resampled(tall.T, (self.left, self.width), (0, width)).T)

    def narrow(self, light: Shading, height: int, width: int) -> Shading:
        """Make a light map that covers a picture (height, width) into one that covers the window, with as many cells."""
        if (self.height, self.width) == (height, width):
            return light
        tall = _resampled(light.gain, (0, height), (self.top, self.height))
        return from_gain(_resampled(tall.T, (0, width), (self.left, self.width)).T)


def around(mask: Singles, share: float, margin: float = margin) -> Window:
    """Choose the window in which a foreground fills `share`, (0,1], or less.

    mask: (H, W) in [0,1]. It has the picture's shape where the foreground's box and its margin allow, and lies within
    the picture. Where nothing is visible, it is the whole.
    """
    rows, columns = (np.flatnonzero((mask > visible).any(1 - axis)) for axis in (0, 1))
    if not rows.size:
        return Window(0, mask.shape[0], 0, mask.shape[1])
    scale = min(1.0, float(mask.sum()) / share / mask.size) ** 0.5
    (top, bottom), (left, right) = (
        _centred(int(seen[0]), int(seen[-1]) + 1, scale, margin, side)
        for seen, side in ((rows, mask.shape[0]), (columns, mask.shape[1]))
    )
    return Window(top, bottom, left, right)


def _centred(first: int, end: int, scale: float, margin: float, side: int) -> tuple[int, int]:
    """Place one side of a window around what is seen from `first` to before `end` of `side` pixels."""
    length = min(side, max(round(scale * side), round((1 + 2 * margin) * (end - first)), least_side))
    start = min(max(0, (first + end - length) // 2), side - length)
    return start, start + length


def _resampled(gains: Floats, have: tuple[int, int], want: tuple[int, int]) -> Floats:
    """Sample rows of cells that cover one stretch of a side, (first pixel, length), so that they cover another."""
    cells = len(gains)
    wanted = min(most_cells, max(cells, round(cells * want[1] / have[1])))
    pixels = want[0] + (np.arange(wanted) + 0.5) * want[1] / wanted
    places = np.clip((pixels - have[0]) * cells / have[1] - 0.5, 0, cells - 1)
    left = np.minimum(places.astype(np.intp), max(cells - 2, 0))
    share = (places - left)[:, None]
    return gains[left] + share * (gains[np.minimum(left + 1, cells - 1)] - gains[left])
