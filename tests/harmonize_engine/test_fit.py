import numpy as np
import pytest

from harmonize_engine import Curves, Harmonization, Shading, fit, render
from harmonize_engine.evaluation import metrics
from harmonize_engine.fit import FitConfig, residual
from harmonize_engine.render import exact

from .test_render import soft_mask

curves = Curves.uniform(0.04 + 0.9 * np.linspace(0, 1, 33) ** np.array([[0.8], [1.0], [1.3]]))
ramp = np.linspace(0.6, 1.3, 16)
light = Shading(np.repeat(ramp[None], 12, axis=0))


def photograph(height=150, width=200):
    """Something with many tones everywhere: smooth colours and grain."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 17 + c) * np.cos(y / (11 + 3 * c)) for c in range(3)]
    grain = random.normal(0, 0.12, (height, width, 3))
    return (np.clip(0.5 + 0.35 * np.stack(waves, -1) + grain, 0, 1) * 255).astype(np.uint8)


def error(result, truth, mask):
    return metrics.measure(result, truth, mask).fmse ** 0.5


def test_what_curves_and_light_made_is_found_again():
    before, mask = photograph(), soft_mask(150, 200)
    after = render(before, mask, Harmonization((curves, light), "test", "1"))
    found = fit(before, after, mask)
    again = render(before, mask, found)
    assert error(before, after, mask) > 12
    assert error(again, after, mask) < 1.2
    assert found.residual == pytest.approx(error(again, after, mask), abs=0.6)


def test_what_did_not_change_stays():
    before, mask = photograph(), soft_mask(150, 200)
    found = fit(before, before, mask)
    assert np.abs(render(before, mask, found).astype(int) - before).max() <= 1


def test_a_change_that_curves_cannot_express_shows_in_the_residual():
    before, mask = photograph(), soft_mask(150, 200)
    swapped = before[..., ::-1].copy()
    after = (before + (swapped.astype(float) - before) * (mask[..., None] / 255)).round().astype(np.uint8)
    found = fit(before, after, mask)
    assert found.residual is not None and found.residual > 20


def test_the_background_has_no_say():
    before, mask = photograph(), soft_mask(150, 200)
    after = render(before, mask, Harmonization((curves, light), "test", "1"))
    noisy = np.where(mask[..., None] == 0, 255 - after, after)
    assert fit(before, noisy, mask).adjustments == fit(before, after, mask).adjustments


def test_curves_never_fall_and_gains_stay_in_range():
    before, mask = photograph(), soft_mask(150, 200)
    after = np.random.default_rng(1).integers(0, 256, before.shape, np.uint8)
    config = FitConfig()
    found = fit(before, after, mask, config)
    assert isinstance(found.adjustments[0], Curves)
    assert (np.diff(found.adjustments[0].y, axis=1) >= 0).all()
    for shading in found.adjustments[1:]:
        assert isinstance(shading, Shading)
        assert config.lowest - 1e-4 <= shading.gain.min() <= shading.gain.max() <= config.highest + 1e-4


def test_the_residual_is_the_rms_error_of_the_foreground_in_levels():
    from harmonize_engine import proxy

    before, mask = photograph(), soft_mask(150, 200)
    seen = proxy(before, mask)
    nothing = Harmonization((), "test", "1")
    target = (exact(seen.image, seen.mask, nothing) + 10 / 255).astype(np.float32)
    assert residual(seen, target, nothing) == pytest.approx(10, abs=1e-3)
