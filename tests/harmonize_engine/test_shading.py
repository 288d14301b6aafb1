import numpy as np
import pytest
from PIL import Image

from harmonize_engine import HarmonizeError, Shading
from harmonize_engine.shading import from_gain


def test_a_flat_map_stays_flat():
    assert np.array_equal(Shading(np.full((4, 3), 0.75)).upsample(50, 70), np.full((50, 70), 0.75))


def test_up_sampling_is_bilinear_with_half_pixel_centres():
    """Two cells over four pixels: centres at 1/4 and 3/4 of the way, the border repeated."""
    row = Shading(np.array([[0.5, 1.5]])).upsample(1, 4)[0]
    assert row.tolist() == [0.5, 0.75, 1.25, 1.5]


@pytest.mark.parametrize("size", [(37, 61), (64, 64), (200, 31)])
def test_up_sampling_gives_what_pillow_gives(size):
    gain = np.random.default_rng(0).uniform(0.4, 2, (16, 12))
    shading = Shading(gain)
    pillow = Image.fromarray(shading.gain.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    assert shading.upsample(size[1], size[0]) == pytest.approx(np.asarray(pillow), abs=1e-5)


def test_gains_lie_on_a_grid_that_holds_1_exactly():
    assert Shading(np.ones((2, 2))).is_identity
    assert not Shading(np.full((2, 2), 1.0001)).is_identity
    assert abs(Shading(np.array([[0.7]])).gain[0, 0] - 0.7) <= 0.5 / 16384


def test_blending_is_what_the_opacity_of_a_multiply_layer_does():
    shading = Shading(np.array([[0.5, 1.75]]))
    assert shading.blend(0.5).gain.tolist() == [[0.75, 1.375]]
    assert shading.blend(0).is_identity


def test_only_gains_above_one_brighten():
    assert Shading(np.array([[0.5, 1.1]])).brightens
    assert not Shading(np.array([[0.5, 1.0]])).brightens


@pytest.mark.parametrize("gain", [[[0.0]], [[4.1]], [[float("inf")]], [0.5], [[]], np.ones((513, 1))])
def test_what_is_not_a_light_map_is_refused(gain):
    with pytest.raises(HarmonizeError) as error:
        Shading(np.array(gain))
    assert error.value.code == "bad_shading"


def test_any_gain_can_be_clipped_into_a_light_map():
    assert from_gain([[-3.0, 100.0]]).gain.tolist() == [[1 / 16384, 65535 / 16384]]
