import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmonize_engine import Composite, Shading
from harmonize_engine.window import Window, around, least_side, most_cells


def marked(height, width, top, bottom, left, right):
    mask = np.zeros((height, width), np.float32)
    mask[top:bottom, left:right] = 1
    return mask


def test_a_small_foreground_fills_the_share_of_its_window_that_is_wanted():
    window = around(marked(1000, 1500, 400, 600, 600, 900), 0.25)
    assert (window.height, window.width) == (400, 600)  # the shape of the picture, and four times the foreground
    assert (window.top, window.left) == (300, 450)  # around its middle


def test_a_large_foreground_is_seen_with_all_of_its_picture():
    assert around(marked(100, 100, 10, 90, 10, 90), 0.5) == Window(0, 100, 0, 100)


def test_a_window_stays_within_the_picture():
    assert around(marked(400, 400, 0, 100, 300, 400), 0.25) == Window(0, 200, 200, 400)


def test_a_long_foreground_keeps_its_margins():
    window = around(marked(800, 800, 100, 700, 390, 410), 0.5)
    assert (window.top, window.bottom) == (10, 790)


def test_a_speck_is_not_blown_up():
    window = around(marked(500, 500, 250, 254, 250, 254), 0.5)
    assert (window.height, window.width) == (least_side, least_side)


def test_what_cannot_be_seen_is_looked_for_everywhere():
    assert around(np.full((60, 80), 0.01, np.float32), 0.5) == Window(0, 60, 0, 80)


@given(st.data())
def test_every_window_holds_the_foreground(data):
    height, width = data.draw(st.tuples(st.integers(16, 300), st.integers(16, 300)))
    top, left = data.draw(st.tuples(st.integers(0, height - 4), st.integers(0, width - 4)))
    bottom, right = data.draw(st.tuples(st.integers(top + 4, height), st.integers(left + 4, width)))
    window = around(marked(height, width, top, bottom, left, right), data.draw(st.floats(0.05, 1)))
    assert 0 <= window.top <= top < bottom <= window.bottom <= height
    assert 0 <= window.left <= left < right <= window.right <= width


def test_all_planes_are_cut_alike():
    values = np.random.default_rng(0).random((50, 60, 3), np.float32)
    whole = Composite(values, values[..., 0], values, values[..., 1])
    part = Window(10, 30, 5, 45).cut(whole)
    assert np.array_equal(part.image, values[10:30, 5:45]) and np.array_equal(part.mask, part.image[..., 0])
    assert np.array_equal(part.background, part.image) and np.array_equal(part.reference, part.image[..., 1])


def light_map():
    rows, columns = np.mgrid[0:16, 0:20]
    return Shading(1 + 0.4 * np.sin(rows / 3) * np.cos(columns / 4))


def test_light_falls_in_the_picture_where_it_fell_in_the_window():
    window = Window(100, 260, 300, 500)
    spread = window.spread(light_map(), 600, 900)
    inside = spread.upsample(600, 900)[100:260, 300:500]
    assert np.abs(inside - light_map().upsample(160, 200)).max() < 0.03  # sampled twice, as cells do not meet
    assert spread.gain.shape == (60, 90)  # cells as large as they were


def test_beyond_the_window_its_border_goes_on():
    outside = Window(100, 260, 300, 500).spread(light_map(), 600, 900).upsample(600, 900)
    assert np.abs(outside[:60] - outside[50]).max() < 1e-6


def test_light_falls_in_the_window_where_it_falls_in_the_picture():
    window = Window(100, 260, 300, 500)
    there = light_map().upsample(600, 900)[100:260, 300:500]
    assert np.abs(window.narrow(light_map(), 600, 900).upsample(160, 200) - there).max() < 0.02  # half a cell at the border


def test_the_light_of_a_window_that_is_the_whole_picture_stays_as_it_is():
    whole = Window(0, 600, 0, 900)
    assert whole.spread(light_map(), 600, 900) == light_map() == whole.narrow(light_map(), 600, 900)


@pytest.mark.parametrize("side", [64, 200])
def test_a_picture_far_larger_than_the_window_gets_a_map_that_can_be_kept(side):
    spread = Window(0, side, 0, side).spread(light_map(), 10_000, 10_000)
    assert spread.gain.shape == (most_cells, most_cells)
