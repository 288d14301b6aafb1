import colorsys

import numpy as np
import pytest

from harmonize_engine import HarmonizeError, Saturation

pixels = np.random.default_rng(3).random((200, 3))


def test_nothing_at_0_and_grey_at_minus_1():
    assert Saturation(0).apply(pixels) == pytest.approx(pixels)
    grey = Saturation(-1).apply(pixels)
    assert grey == pytest.approx(np.repeat((pixels.max(1, keepdims=True) + pixels.min(1, keepdims=True)) / 2, 3, axis=1))


@pytest.mark.parametrize("amount", [-0.6, 0.3, 1.0])
def test_it_scales_the_saturation_of_hls(amount):
    for before, after in zip(pixels, Saturation(amount).apply(pixels), strict=True):
        hue, lightness, saturation = colorsys.rgb_to_hls(*before)
        expected = colorsys.hls_to_rgb(hue, lightness, min(1, saturation * (1 + amount)))
        assert after == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("amount", [-1.1, 1.1, float("nan")])
def test_amounts_beyond_the_range_are_refused(amount):
    with pytest.raises(HarmonizeError) as error:
        Saturation(amount)
    assert error.value.code == "bad_saturation"


def test_blending_is_what_a_layers_opacity_does_also_where_colours_are_full():
    full = Saturation(1.0).apply(pixels)
    assert Saturation(1.0).blend(0.5).apply(pixels) == pytest.approx((pixels + full) / 2)
