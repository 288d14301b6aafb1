import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmonize_engine import Curves, Harmonization, HarmonizeError, Saturation, Shading, render
from harmonize_engine.composite import peak
from harmonize_engine.render import exact

random = np.random.default_rng(5)
curves = Curves.uniform(0.05 + 0.9 * np.linspace(0, 1, 33) ** np.array([[0.7], [1.0], [1.4]]))
light = Shading(random.uniform(0.4, 2, (16, 16)))
usual = Harmonization((curves, light), "test", "1")
everything = Harmonization((curves, Saturation(0.4), curves, light), "test", "1")
depths = pytest.mark.parametrize("depth", [np.uint8, np.uint16, np.float32])


def picture(depth, height=83, width=131, channels=3):
    values = np.random.default_rng(height * width).random((height, width, channels))
    return (values * peak(np.empty(0, depth))).astype(depth)


def soft_mask(height=83, width=131):
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot((y / height - 0.5) * 2.2, (x / width - 0.5) * 2.2)
    return (np.clip((1 - distance) * 4, 0, 1) * 255).astype(np.uint8)


def by_definition(pixels, mask, adjustments):
    """The reference formula in a few lines of its own."""
    before = pixels[..., :3].astype(np.float64) / peak(pixels)
    after = before
    for adjustment in adjustments:
        if isinstance(adjustment, Shading):
            after = after * adjustment.upsample(*mask.shape)[..., None]
        else:
            after = adjustment.apply(after)
    m = mask[..., None] / peak(mask)
    return before * (1 - m) + m * np.clip(after, 0, 1)


@depths
@pytest.mark.parametrize("harmonization", [usual, everything], ids=["curves and light", "with saturation"])
def test_every_depth_is_rounded_from_the_exact_value(depth, harmonization):
    pixels, mask = picture(depth), soft_mask()
    error = render(pixels, mask, harmonization) / peak(pixels) - by_definition(pixels, mask, harmonization.adjustments)
    allowed = 1e-6 if depth is np.float32 else 0.5 / peak(pixels) + 1e-12
    assert np.abs(error).max() <= allowed
    assert exact(pixels, mask, harmonization) == pytest.approx(by_definition(pixels, mask, harmonization.adjustments))


@depths
def test_outside_the_mask_and_in_alpha_every_bit_stays(depth):
    pixels, mask = picture(depth, channels=4), soft_mask()
    result = render(pixels, mask, usual)
    assert np.array_equal(result[mask == 0], pixels[mask == 0])
    assert np.array_equal(result[..., 3], pixels[..., 3])
    assert not np.array_equal(result[mask > 0], pixels[mask > 0])


@depths
def test_without_strength_the_input_comes_back_bit_for_bit(depth):
    pixels = picture(depth)
    assert np.array_equal(render(pixels, soft_mask(), usual, color_strength=0, light_strength=0), pixels)


def test_strengths_work_apart():
    pixels, mask = picture(np.uint16), soft_mask()
    colour_only = render(pixels, mask, Harmonization((curves,), "test", "1"))
    assert np.array_equal(render(pixels, mask, usual, light_strength=0), colour_only)
    half = render(pixels, mask, usual, color_strength=0.5, light_strength=0.25) / 65535
    assert half == pytest.approx(by_definition(pixels, mask, (curves.blend(0.5), light.blend(0.25))), abs=1e-5)


def test_floats_beyond_white_stay_outside_the_mask():
    pixels, mask = picture(np.float32), soft_mask()
    pixels[0, 0] = 7.5
    pixels[40, 60] = 7.5
    result = render(pixels, mask, usual)
    assert result[0, 0].tolist() == [7.5] * 3
    assert result[40, 60].max() <= 1


def test_a_cut_out_is_laid_over_the_background_by_its_alpha():
    background, cutout, mask = picture(np.uint8), picture(np.uint8)[::-1], soft_mask()
    found = render(background, mask, usual, source=cutout) / 255
    m = mask[..., None] / 255
    full = np.full_like(mask, 255)
    expected = background / 255 * (1 - m) + by_definition(cutout, full, usual.adjustments) * m
    assert np.abs(found - expected).max() <= 0.5 / 255 + 1e-12


def test_an_unchanged_cut_out_is_still_laid_over_the_background():
    background, cutout, mask = picture(np.uint8), picture(np.uint8)[::-1], soft_mask()
    found = render(background, mask, Harmonization((), "test", "1"), source=cutout)
    assert np.array_equal(found[mask == 255], cutout[mask == 255])
    assert np.array_equal(found[mask == 0], background[mask == 0])


def test_pictures_that_are_slices_of_others_are_read_rightly():
    large, mask = picture(np.uint8, 166, 262), soft_mask()
    view = large[::2, ::2]
    assert np.array_equal(render(view, mask, usual), render(view.copy(), mask, usual))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_any_size_and_any_mask_agree_with_the_definition(height, width, seed):
    source = np.random.default_rng(seed)
    pixels = source.integers(0, 256, (height, width, 3), np.uint8)
    mask = source.integers(0, 256, (height, width), np.uint8) * source.integers(0, 2, (height, width), np.uint8)
    error = render(pixels, mask, usual) / 255 - by_definition(pixels, mask, usual.adjustments)
    assert np.abs(error).max() <= 0.5 / 255 + 1e-12


@pytest.mark.parametrize(
    ("pixels", "mask", "code"),
    [
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8), "bad_picture"),
        (np.zeros((4, 4, 3), np.int32), np.zeros((4, 4), np.uint8), "bad_picture"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8), "mask_size"),
    ],
)
def test_what_cannot_be_rendered_is_refused(pixels, mask, code):
    with pytest.raises(HarmonizeError) as error:
        render(pixels, mask, usual)
    assert error.value.code == code
