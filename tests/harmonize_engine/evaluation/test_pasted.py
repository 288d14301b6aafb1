import numpy as np
import pytest

from harmonize_engine import HarmonizeError
from harmonize_engine.composite import Composite
from harmonize_engine.evaluation.likeness import colour_distance
from harmonize_engine.evaluation.pasted import largest, pasted, tallest, widest
from harmonize_engine.evaluation.protocols import chosen, entries


def square(height, width, top, left, side):
    mask = np.zeros((height, width), np.uint8)
    mask[top : top + side, left : left + side] = 255
    return mask


grey, red = np.full((90, 120, 3), 128, np.uint8), np.full((80, 80, 3), (200, 40, 40), np.uint8)


def test_a_cut_out_stands_where_it_covers_least_of_the_photographs_own_foreground():
    left_half = square(90, 120, 20, 0, 60)
    composite, mask = pasted(grey, left_half, red, square(80, 80, 10, 10, 40))
    assert not ((mask > 127) & (left_half > 127)).any()
    assert (composite[mask == 255] == red[0, 0]).all() and (composite[mask == 0] == 128).all()


def test_what_was_cut_off_below_stands_on_the_lower_border():
    _, mask = pasted(grey, square(90, 120, 40, 20, 50), red, square(80, 80, 20, 10, 60))
    assert mask[-1].max() == 255


def test_a_cut_out_is_shrunk_to_a_plausible_size():
    _, mask = pasted(grey, square(90, 120, 0, 0, 5), red, square(80, 80, 1, 1, 78))
    assert (mask > 127).mean() <= largest + 0.01
    assert np.ptp(np.flatnonzero(mask.any(0))) < widest * 120 and np.ptp(np.flatnonzero(mask.any(1))) < tallest * 90


def test_a_cut_out_of_nothing_is_refused():
    with pytest.raises(HarmonizeError) as error:
        pasted(grey, square(90, 120, 0, 0, 5), red, np.zeros((80, 80), np.uint8))
    assert error.value.code == "mask_empty"


def test_real_composites_are_of_two_photographs_and_have_no_truth(photographs):
    found = entries(photographs, chosen(["pasted"]), 0)
    assert {entry.name for entry in found} == {"photo0", "photo2", "photo4"}
    assert all(entry.pair.group != entry.cut_out.group for entry in found)
    first, again = found[0].scene(), found[0].scene()
    assert first.truth is None and first.sha256 == again.sha256
    assert set(found[0].sources()) == {"image", "mask", "other_image", "other_mask"}


def test_colours_are_as_far_apart_as_their_means_where_spreads_are_equal():
    picture = np.full((20, 20, 3), 0.5, np.float32)
    mask = square(20, 20, 5, 5, 10).astype(np.float32) / 255
    assert colour_distance(Composite(picture, mask)) < 1e-3
    brighter = picture * (1 + 0.5 * mask[..., None])
    far, farther = (
        colour_distance(Composite(p.astype(np.float32), mask)) for p in (brighter, brighter + mask[..., None] * 0.2)
    )
    assert 15 < far < 30 < farther + 10


def test_spread_counts_where_means_are_equal():
    stripes = np.where(np.arange(20)[:, None, None] % 2, 0.6, 0.4).repeat(20, 1).repeat(3, 2).astype(np.float32)
    mask = square(20, 20, 4, 4, 12).astype(np.float32) / 255
    flat = np.where(mask[..., None] > 0, np.float32(0.5), stripes)
    assert colour_distance(Composite(stripes, mask)) < 0.5 < 5 < colour_distance(Composite(flat, mask))
