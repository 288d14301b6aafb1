import numpy as np
import pytest

from harmonize_engine import Composite, HarmonizeError, proxy
from harmonize_engine.composite import shrink, unit

depths = pytest.mark.parametrize(("depth", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])


def masked(height, width, rows=slice(10, 30), columns=slice(10, 30)):
    mask = np.zeros((height, width), np.uint8)
    mask[rows, columns] = 255
    return mask


@depths
def test_a_proxy_is_small_floats_of_the_same_picture(depth, white):
    picture = np.full((900, 1600, 3), white, depth)
    picture[:, 800:] = 0
    seen = proxy(picture, masked(900, 1600, slice(0, 900), slice(0, 400)))
    assert seen.image.shape == (288, 512, 3)
    assert seen.image[:, :250].min() == pytest.approx(1)
    assert seen.image[:, 262:].max() == 0
    assert seen.mask.mean() == pytest.approx(0.25, abs=0.005)


def test_a_small_picture_is_its_own_proxy():
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    seen = proxy(picture, masked(40, 60))
    assert np.array_equal(seen.image, unit(picture))


@pytest.mark.parametrize("size", [(24, 32), (13, 17), (50, 70)])
def test_shrinking_keeps_the_mean(size):
    """Every full-size pixel counts alike, also where blocks do not fit evenly."""
    plane = np.random.default_rng(1).integers(0, 65536, (480, 640), np.uint16)
    assert shrink(plane, size).mean() == pytest.approx(plane.mean() / 65535, abs=2e-3)


def test_the_clean_plate_and_the_reference_shrink_along():
    picture = np.zeros((600, 800, 4), np.uint8)
    seen = proxy(picture, masked(600, 800), background=picture + 255, reference=masked(600, 800, slice(300, 600)))
    assert seen.background is not None and seen.background.shape == seen.image.shape
    assert seen.reference is not None and seen.reference.shape == seen.mask.shape


nothing = np.zeros((40, 60), np.uint8)
single = nothing.copy()
single[20, 20] = 255
picture = np.zeros((40, 60, 3), np.uint8)


@pytest.mark.parametrize(
    ("image", "mask", "code"),
    [
        (picture, nothing, "mask_empty"),
        (picture, single, "mask_tiny"),
        (picture, nothing + 255, "mask_full"),
        (picture, nothing[:30], "mask_size"),
        (np.zeros((1, 1, 3), np.uint8), np.ones((1, 1), np.uint8), "picture_too_small"),
        (np.zeros((100, 30000, 3), np.uint8), np.zeros((100, 30000), np.uint8), "picture_too_narrow"),
    ],
)
def test_what_cannot_be_harmonized_is_refused_in_a_sentence(image, mask, code):
    with pytest.raises(HarmonizeError) as error:
        proxy(image, mask)
    assert error.value.code == code
    assert error.value.message.endswith(".")
    assert error.value.hint


def test_planes_of_other_sizes_are_named():
    image, mask = np.zeros((40, 60, 3), np.float32), np.zeros((40, 60), np.float32)
    with pytest.raises(HarmonizeError, match="background is 10x40 pixels, the picture 60x40"):
        Composite(image, mask, background=image[:, :10])
