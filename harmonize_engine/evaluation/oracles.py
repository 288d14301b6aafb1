"""The best that a kind of adjustment can do for one picture, found with the answer at hand: what no prediction can beat."""

import numpy as np

from harmonize_engine.composite import Pixels, proxy
from harmonize_engine.evaluation.scene import Scene, levels
from harmonize_engine.fit import FitConfig, fit, fit_proxy
from harmonize_engine.harmonization import Harmonization

config = FitConfig(long_side=512)


def curves_and_light(scene: Scene) -> Harmonization:
    """One tone curve per channel and a light map."""
    return fit(scene.composite, scene.answer, scene.mask, config)


def curves(scene: Scene) -> Harmonization:
    """One tone curve per channel."""
    both = proxy(scene.composite, scene.mask, scene.answer, long_side=config.long_side)
    assert both.background is not None
    return fit_proxy(both, both.background, config, light=False)


def affine(scene: Scene) -> Pixels:
    """One matrix (3, 3) and offset for the whole foreground, least squares: mixes channels, bends nothing."""
    rows, columns = np.nonzero(scene.mask)
    m = scene.mask[rows, columns, None] / 255
    before = scene.composite[rows, columns] / 255
    after = scene.answer[rows, columns] / 255
    known = np.concatenate((before, np.ones_like(m)), 1)
    # the truth is C * (1 - m) + m * (A C + b): linear in A and b
    matrix, *_ = np.linalg.lstsq(known * m, after - before * (1 - m), rcond=None)
    result = scene.composite.copy()
    result[rows, columns] = levels((before * (1 - m) + m * np.clip(known @ matrix, 0, 1)).astype(np.float32))
    return result
