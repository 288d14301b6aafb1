import numpy as np
import pytest

from harmonize_engine.evaluation import filters
from tests.harmonize_engine.evaluation.conftest import photograph

image, _ = photograph(1)


@pytest.mark.parametrize("apply", filters.restore_order, ids=lambda apply: apply.__name__)
def test_argument_0_changes_nothing(apply):
    assert np.allclose(apply(image, 0.0), image, atol=1e-5)


@pytest.mark.parametrize("apply", filters.restore_order, ids=lambda apply: apply.__name__)
@pytest.mark.parametrize("argument", [-1.0, -0.4, 0.4, 1.0])
def test_no_argument_leaves_the_range(apply, argument):
    changed = apply(image, argument)
    assert changed.min() >= 0 and changed.max() <= 1 and np.isfinite(changed).all()


def test_the_signs_are_those_of_the_paper():
    red_to_blue = [filters.temperature(image, x).mean((0, 1))[[0, 2]] for x in (-0.3, 0.3)]
    assert red_to_blue[1][0] / red_to_blue[1][1] > red_to_blue[0][0] / red_to_blue[0][1]  # warmer
    assert filters.brightness(image, 0.3).mean() > image.mean() > filters.brightness(image, -0.3).mean()
    assert filters.contrast(image, 0.3).std() > image.std() > filters.contrast(image, -0.3).std()
    assert filters.shadow(image, 0.3).mean() > image.mean()
    assert filters.highlight(image, 0.3).mean() > image.mean()


def test_brightness_scales_value_by_1_over_1_minus_the_argument():
    grey = np.full((2, 2, 3), 0.4, np.float32)
    assert np.allclose(filters.brightness(grey, 0.2), 0.5, atol=1e-5)
    assert np.allclose(filters.brightness(grey, -0.5), 0.2, atol=1e-6)


def test_contrast_stretches_about_the_mean_of_the_whole_picture():
    halves = np.array([[[0.4] * 3, [0.6] * 3]], np.float32)
    assert np.allclose(filters.contrast(halves, -0.5), [[[0.45] * 3, [0.55] * 3]], atol=1e-6)
    assert np.allclose(filters.contrast(halves, 0.5), [[[0.5 - 0.1 * 255 / 128.5] * 3, [0.5 + 0.1 * 255 / 128.5] * 3]])


def test_saturation_of_minus_1_is_the_lightness():
    colour = np.array([[[0.2, 0.4, 0.8]]], np.float32)
    assert np.allclose(filters.saturation(colour, -1.0), 0.5)
