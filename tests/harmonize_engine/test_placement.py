import numpy as np
import pytest

from harmonize_engine import HarmonizeError
from harmonize_engine.placement import Placement, resize


def square(size: int, depth: type = np.uint8) -> np.ndarray:
    """An opaque cut-out of random colours."""
    peak = np.iinfo(depth).max
    cutout = np.random.default_rng(1).integers(0, peak, (size, size, 4), depth, endpoint=True)
    cutout[..., 3] = peak
    return cutout


canvas = np.zeros((40, 60, 3), np.uint8)


def test_the_default_place_is_the_middle_and_keeps_every_value() -> None:
    placed = Placement().place(square(20), canvas)
    assert placed.shape == (40, 60, 4)
    assert (placed[10:30, 20:40] == square(20)).all()
    assert placed[..., 3].sum() == 255 * 400


def test_what_hangs_over_the_edge_is_clipped() -> None:
    placed = Placement(at=(0, 40)).place(square(20), canvas)
    assert (placed[30:, :10] == square(20)[:10, 10:]).all()
    assert np.count_nonzero(placed[..., 3]) == 100


@pytest.mark.parametrize("at", [(-11, 5), (71, 5), (5, -11), (5, 51)])
def test_a_cut_out_outside_the_picture_is_refused(at: tuple[float, float]) -> None:
    with pytest.raises(HarmonizeError, match="outside") as refusal:
        Placement(at).place(square(20), canvas)
    assert refusal.value.code == "cutout_outside"


def test_the_depth_of_the_picture_decides() -> None:
    placed = Placement().place(square(20, np.uint16), canvas)
    assert placed.dtype == np.uint8
    assert (placed[10:30, 20:40] == np.rint(square(20, np.uint16) / 257)).all()


def test_resizing_keeps_16_bits() -> None:
    ramp = np.dstack([np.tile(np.linspace(20000, 20400, 64), (64, 1))] * 3 + [np.full((64, 64), 65535)])
    small = resize(ramp.astype(np.uint16), (32, 32))
    assert small.dtype == np.uint16
    assert len(np.unique(small[16, :, 0])) > 25
    assert np.abs(small[8:-8, 8:-8, 0] - ramp.reshape(32, 2, 32, 2, 4).mean((1, 3))[8:-8, 8:-8, 0]).max() < 20


def test_hidden_colours_do_not_bleed_into_the_edge() -> None:
    cutout = np.zeros((40, 40, 4), np.uint8)
    cutout[..., 1] = 255  # bright green under the transparent part
    cutout[10:30, 10:30] = (200, 60, 60, 255)
    small = resize(cutout, (17, 17)).astype(int)
    visible = small[small[..., 3] > 20]
    assert np.abs(visible[:, :3] - (200, 60, 60)).max() <= 4


def test_absurd_scales_are_refused() -> None:
    for scale in (0.0, -1.0, float("nan"), 65.0):
        with pytest.raises(HarmonizeError, match="scale"):
            Placement(scale=scale)
    with pytest.raises(HarmonizeError) as refusal:
        Placement(scale=60).place(square(20), canvas)
    assert refusal.value.code == "cutout_too_large"


def test_a_tiny_scale_leaves_one_pixel() -> None:
    placed = Placement(scale=0.001).place(square(20), canvas)
    assert np.count_nonzero(placed[..., 3]) == 1
