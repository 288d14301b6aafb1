"""Ways to make a composite of a photograph: its foreground alone is changed, the photograph is the truth.

`filters`      Harmonizer's six filters in reverse order, arguments uniform within their ranges.
`statistics`   the colour statistics of another photograph's foreground, by one of three transfers: iHarmony4's idea.
`retouch`      exposure, white balance, tone curves, saturation, dodge and burn: what an artist does.
`light`        light alone: a field of low frequency or a gradient, stronger than in `retouch`; needs a light map.
`development`  held out: another camera and raw converter (development.py).
`film`         held out: a film look, a three-dimensional table (film.py).
`untouched`    nothing: what already fits must stay.

Pictures are (H, W, 3), display-encoded sRGB in [0,1]; masks (H, W) in [0,1]. The same seed makes the same change at any
size and, but for its strength, at any magnitude in [0,1].
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from harmonize_engine.composite import Singles
from harmonize_engine.evaluation import development, film, filters, retouching
from harmonize_engine.evaluation.transfers import transfers

version = 1  # of what the same seed makes
trained = ("filters", "statistics", "retouch")
held_out = ("development", "film")
untouched = "untouched"
names = (*trained, "light", *held_out, untouched)
more_light = 1.4  # times the ranges of `retouch`


def composite(
    family: str, image: Singles, mask: Singles, other: Singles, other_mask: Singles, magnitude: float, seed: int
) -> Singles:
    """Change the foreground of a photograph: image * (1 - mask) + changed * mask.

    other, other_mask: another photograph and its foreground, of any size; only `statistics` looks at it.
    """
    if family == untouched or magnitude == 0:
        return image
    random = np.random.default_rng(seed)
    if family == "statistics":
        transfer = transfers[random.integers(len(transfers))]
        changed = image + np.float32(magnitude) * (transfer(image, mask, other, other_mask) - image)
    else:
        changed = _changes[family](image, magnitude, random)
    return np.clip(image + (changed - image) * mask[..., None], 0, 1).astype(np.float32)


def _by_filters(image: Singles, magnitude: float, random: Generator) -> Singles:
    for apply in reversed(filters.restore_order):
        image = apply(image, random.uniform(-1, 1) * filters.ranges[apply.__name__] * magnitude)
    return image


def _by_light(image: Singles, magnitude: float, random: Generator) -> Singles:
    return retouching.relight(image, magnitude, random, more_light)


_changes: dict[str, Callable[[Singles, float, Generator], Singles]] = {
    "filters": _by_filters,
    "retouch": retouching.retouch,
    "light": _by_light,
    "development": development.develop,
    "film": film.look,
}
