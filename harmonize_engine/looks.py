"""What a network is shown of a picture, and what it says of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harmonize_engine.composite import Composite
from harmonize_engine.curves import Floats
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.render import exact
from harmonize_engine.shading import Shading, from_gain
from harmonize_engine.window import Window, around

cell = 16  # sides of a network's input are multiples of it
nearer = 2.0  # times as much as the whole picture counts what is said of the window: docs/training.md, "Two looks"


@dataclass(frozen=True, eq=False)
class View:
    """A part of a picture of a size (height, width), at a network's input size."""

    window: Window
    size: tuple[int, int]
    seen: Composite

    @classmethod
    def of(cls, composite: Composite, window: Window, side: int) -> "View":
        """Show a part of a composite in display-encoded sRGB; side: of the input, pixels."""
        size = composite.mask.shape
        return cls(
            window, (size[0], size[1]), window.cut(composite).resized(*input_size(window.height, window.width, side))
        )

    def rendered(self, harmonization: Harmonization) -> "View":
        """Show what a harmonization of the whole picture makes of this part of it, display-encoded sRGB."""
        here = replace(
            harmonization,
            adjustments=tuple(
                self.window.narrow(one, *self.size) if isinstance(one, Shading) else one
                for one in harmonization.adjustments
            ),
        )
        image = exact(self.seen.image, self.seen.mask, here).astype(np.float32)
        return replace(self, seen=replace(self.seen, image=image))

    def moved(self, result: "View") -> float:
        """Tell how far a result is from this view, RMS over the foreground, 8-bit levels."""
        mask = self.seen.mask
        squared = ((result.seen.image - self.seen.image) ** 2).mean(-1, dtype=np.float64)
        return 255 * float(np.sqrt((squared * mask).sum() / max(float(mask.sum()), 1e-6)))


@dataclass(frozen=True, eq=False)
class Look:
    """What is said of a picture. curves: (3, K) in [0,1]; light covers all of the picture; harmony: 0..1."""

    curves: Floats
    light: Shading
    harmony: float


def views(composite: Composite, side: int, share: float) -> list[View]:
    """Choose what to show: all of the picture, and the window in which the foreground fills `share`, where that is less.

    A reference mask is always within the window. share 0: only all of it.
    """
    height, width = composite.mask.shape
    windows = [Window(0, height, 0, width)]
    if share:
        reference = composite.reference
        windows.append(around(composite.mask if reference is None else np.maximum(composite.mask, reference), share))
    return [View.of(composite, window, side) for window in dict.fromkeys(windows)]


def mean(looks: Sequence[Look]) -> Look:
    """Average what was said of one picture, from far and then from near, which counts more.

    Light maps are averaged by their logarithms, on the finest of their grids.
    """
    if len(looks) == 1:
        return looks[0]
    height, width = _finest(looks)
    weights = [1.0, *[nearer] * (len(looks) - 1)]
    lights, curves, harmony = (
        np.average(said, axis=0, weights=weights)
        for said in (
            [np.log(look.light.upsample(height, width)) for look in looks],
            [look.curves for look in looks],
            [look.harmony for look in looks],
        )
    )
    return Look(curves, from_gain(np.exp(lights)), float(harmony))


def followed(first: Look, second: Look, share: float) -> Look:
    """Say at once what was said of a picture and then, to a share, of its result: curves of curves, light times light.

    That the first light fell between the two curves is neglected: the second ones are small. harmony: the picture's.
    """
    if not share:
        return first
    places = np.linspace(0, 1, second.curves.shape[1])
    further = places + share * (second.curves - places)
    curves = np.stack([np.interp(*each) for each in zip(first.curves, [places] * 3, further, strict=True)])
    height, width = _finest([first, second])
    gain = first.light.upsample(height, width) * second.light.upsample(height, width) ** share
    return Look(curves, from_gain(gain), first.harmony)


def _finest(looks: Sequence[Look]) -> tuple[int, int]:
    height, width = (max(look.light.gain.shape[axis] for look in looks) for axis in (0, 1))
    return height, width


def input_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Choose a network's input (height, width): the window's shape, up to 2:1, at an area of about side x side."""
    ratio = float(np.clip(width / height, 0.5, 2.0)) ** 0.5
    return max(cell, round(side / ratio / cell) * cell), max(cell, round(side * ratio / cell) * cell)
