from dataclasses import replace

import numpy as np
import pytest

from harmonize_engine import Composite, Curves, Shading
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.looks import Look, followed, mean, views
from harmonize_engine.render import exact
from harmonize_engine.window import Window

values = np.random.default_rng(0).random((300, 400, 3), np.float32)


def with_foreground(top, bottom, left, right, reference=None):
    mask = np.zeros((300, 400), np.float32)
    mask[top:bottom, left:right] = 1
    return Composite(values, mask, reference=reference)


def test_all_of_the_picture_is_shown_and_the_window_as_well():
    shown = views(with_foreground(100, 160, 100, 180), 128, 0.25)
    assert [view.window for view in shown] == [Window(0, 300, 0, 400), Window(70, 190, 60, 220)]
    assert [view.seen.mask.shape for view in shown] == [(112, 144), (112, 144)]
    assert shown[1].seen.mask.mean() == pytest.approx(0.25, abs=0.01)


def test_one_look_is_enough_where_the_window_is_all_of_the_picture():
    assert len(views(with_foreground(20, 280, 20, 380), 128, 0.5)) == 1
    assert len(views(with_foreground(100, 160, 100, 180), 128, 0.0)) == 1


def test_what_is_to_be_matched_is_always_shown():
    reference = np.zeros((300, 400), np.float32)
    reference[280:, 380:] = 1
    _, near = views(with_foreground(200, 260, 300, 360, reference), 128, 0.5)
    assert near.window.bottom == 300 and near.window.right == 400 and near.seen.reference.max() == 1


def test_a_result_is_shown_near_as_it_is_in_the_whole_picture():
    """What is rendered at a network's input size is what rendering all of the picture and looking at it shows."""
    smooth = np.stack(np.broadcast_arrays(*np.mgrid[0.2:0.8:300j, 0.3:0.7:400j], 0.5), -1).astype(np.float32)
    composite = replace(with_foreground(100, 160, 100, 180), image=smooth)
    curves = Curves.uniform(np.stack([np.linspace(0, 1, 33) ** exponent for exponent in (0.8, 1.0, 1.3)]))
    light = Shading(np.linspace(0.7, 1.3, 16)[:, None] * np.ones(16))
    harmonization = Harmonization((curves, light), "a model", "1", "0" * 64)
    result = replace(composite, image=exact(smooth, composite.mask, harmonization).astype(np.float32))
    for view, wanted in zip(views(composite, 128, 0.25), views(result, 128, 0.25), strict=True):
        shown = view.rendered(harmonization)
        assert np.abs(shown.seen.image - wanted.seen.image).max() < 0.01
        assert shown.seen.mask is view.seen.mask
        assert view.moved(shown) == pytest.approx(view.moved(wanted), rel=0.01)


def test_what_moves_the_foreground_is_told_in_levels():
    view = views(with_foreground(100, 160, 100, 180), 128, 0.25)[1]
    brighter = replace(view, seen=replace(view.seen, image=view.seen.image + np.float32(10 / 255)))
    assert view.moved(brighter) == pytest.approx(10, abs=1e-3) and view.moved(view) == 0


def look(exponent, gain, harmony):
    return Look(np.stack([np.linspace(0, 1, 33) ** exponent] * 3), Shading(np.asarray(gain)), harmony)


def test_what_is_said_from_near_counts_twice():
    both = mean([look(0.5, [[0.5, 0.5]], 0.3), look(1.0, [[2.0, 2.0], [1.0, 1.0]], 0.6)])
    assert np.allclose(both.curves, (np.linspace(0, 1, 33) ** 0.5 + 2 * np.linspace(0, 1, 33)) / 3)
    assert np.allclose(both.light.gain, [[2 ** (1 / 3)] * 2, [0.5 ** (1 / 3)] * 2], atol=1e-3)  # means of logarithms
    assert both.harmony == pytest.approx(0.5)


def test_what_is_said_once_stands():
    said = look(0.7, [[1.2]], 0.5)
    assert mean([said]) is said


def test_two_corrections_in_turn_become_one():
    first, second = look(0.8, [[0.5, 1.0]], 0.3), look(1.2, [[1.0], [2.0]], 0.7)
    one = followed(first, second, 1)
    assert np.allclose(one.curves, np.linspace(0, 1, 33) ** 0.96, atol=2e-3)
    assert np.allclose(one.light.gain, [[0.5, 1], [1, 2]])
    assert one.harmony == 0.3  # of the picture, not of the result
    half = followed(first, second, 0.5)
    assert np.allclose(half.light.gain, [[0.5, 1], [0.5**0.5, 2**0.5]], atol=1e-4)
    assert followed(first, second, 0) is first
