"""Tone curves as settings of Krita's filters."""

import numpy as np
import pytest
from harmonize_krita import tones

from harmonize_engine.curves import Curves
from harmonize_engine.splines import krita_curve

grid = np.arange(256) / 255
knots = np.linspace(0, 1, 33)
given = Curves.uniform(np.stack([knots**0.7, knots, 0.1 + 0.8 * knots**1.5]))
adjustment = {"kind": "curves", "x": given.x.tolist(), "y": given.y.tolist()}


@pytest.mark.parametrize("depth, most, level", [("U8", 16, 0.5), ("U16", 33, 0.25), ("F32", 33, 0.25)])
def test_the_points_follow_the_engines_curves(depth, most, level):
    for channel, (xs, ys) in enumerate(tones.curves(adjustment, None, depth)):
        assert len(xs) <= most
        assert np.abs(krita_curve(xs, ys, grid) - given.table(256)[channel]).max() <= level / 255


def test_exact_curves_have_all_of_kritas_points():
    assert [len(xs) for xs, _ in tones.curves(adjustment, None, "U8", exact=True)] == [256] * 3


def test_the_engines_points_are_taken_where_half_a_level_needs_too_many():
    zigzag = {"kind": "curves", "x": grid.tolist(), "y": [(0.5 + 0.4 * np.sin(60 * grid)).tolist()] * 3}
    points = [{"x": [0, 1], "y": [0.2, 0.8]}] * 3
    assert tones.curves(zigzag, points, "U8") == [([0, 1], [0.2, 0.8])] * 3
    assert [len(xs) for xs, _ in tones.curves(zigzag, None, "U8")] == [256] * 3


def test_in_a_linear_document_the_curves_act_on_what_is_displayed():
    for channel, (xs, ys) in enumerate(tones.curves(adjustment, None, "F32", is_linear=True, exact=True)):
        light = np.array([tones.decode(value) for value in (0.2, 0.5, 0.9)])
        seen = [tones.encode(value) for value in np.interp(light, grid, krita_curve(xs, ys, grid))]
        assert seen == pytest.approx(np.interp((0.2, 0.5, 0.9), given.x, given.y[channel]), abs=0.01)


def test_encode_and_decode_are_inverse():
    assert [tones.encode(tones.decode(value)) for value in grid] == pytest.approx(grid)


def test_settings_name_red_green_and_blue():
    settings = tones.curves_settings([([0, 1], [0, 0.5]), ([0, 1], [0, 1]), ([0, 1], [0.25, 1])])
    assert settings["nTransfers"] == "8"
    assert [settings[f"curve{slot}"] for slot in range(5)] == [
        "0,0;1,1;",
        "0,0;1,0.5;",
        "0,0;1,1;",
        "0,0.25;1,1;",
        "0,0;1,1;",
    ]


def test_settings_are_the_same_whatever_the_digits():
    ours = tones.curves_settings([([0, 1 / 3, 1], [0, 0.123456, 1])] * 3)
    kritas = {**ours, "nTransfers": 8, "curve1": "0.0,0;0.333333,0.12345600001;1,1", "activeCurve": 2}
    assert tones.same(ours, kritas)
    assert not tones.same(ours, {**kritas, "curve2": "0,0;0.34,0.123456;1,1;"})
    assert not tones.same(ours, {**kritas, "curve6": "0,0;1,0.9;"})


def test_a_setting_is_read_back():
    assert tones.knots("0,0.1;0.5,0.6,is_corner;1,1;") == ([0, 0.5, 1], [0.1, 0.6, 1])
