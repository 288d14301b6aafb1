"""Tone curves as GIMP is told them."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from harmonize_engine.curves import Curves
from harmonize_engine.files.xcf.effects import closest_samples
from harmonize_engine.splines import draggable_points, gimp_curve

curves = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[2] / "plugin_gimp/harmonize/curves.py")))
levels = np.linspace(0, 1, 256)
knots = np.linspace(0, 1, 9)
bent = Curves(knots, np.stack([knots**0.6, 0.1 + 0.8 * knots**2, np.sin(knots * 1.5)]))
adjustment = {"kind": "curves", "x": bent.x.tolist(), "y": bent.y.tolist()}


def test_tables_are_the_ones_the_engine_writes():
    tables = curves.tables(adjustment, grey=False)
    wanted = [closest_samples(bent.x, y) for y in bent.y]
    assert np.allclose([tables[name] for name in ("red", "green", "blue")], wanted, atol=1e-12)


def test_tables_of_crowded_knots_are_the_ones_the_engine_writes():
    """Several knots between two levels, rising, falling and flat: what two joined tone curves can hold."""
    rng = np.random.default_rng(3)
    x = np.sort(np.concatenate([[0, 1], rng.uniform(0, 1, 400)]))
    for y in (np.sort(rng.uniform(0, 1, 402)), rng.uniform(0, 1, 402), np.clip(2 * x - 0.5, 0, 1)):
        assert np.allclose(curves.sampled(x.tolist(), y.tolist()), closest_samples(x, y), atol=1e-12)


def test_a_grey_picture_gets_one_curve_as_bright_as_all_three():
    tables = curves.tables(adjustment, grey=True)
    assert list(tables) == ["value"]
    wanted = [closest_samples(bent.x, y) for y in bent.y]
    assert np.allclose(tables["value"], np.array([0.2126, 0.7152, 0.0722]) @ wanted)


@pytest.mark.parametrize("count", [2, 3, 5, 16])
def test_the_curve_through_points_is_gimps(count):
    rng = np.random.default_rng(count)
    xs = np.sort(rng.choice(np.arange(1, 255), count, replace=False)) / 255
    ys = rng.uniform(-0.2, 1.2, count).clip(0, 1)
    assert np.allclose(curves.drawn(list(zip(xs, ys, strict=True))), gimp_curve(xs, ys, levels), atol=1e-9)


def test_the_engines_points_are_taken_and_others_found_without_them():
    table = bent.table(256)
    found = draggable_points(table[1], gimp_curve)
    told = [None, {"x": found[0].tolist(), "y": found[1].tolist()}, None]
    points = curves.points_for(curves.tables(adjustment, grey=False), told)
    assert points["green"] == list(zip(*found, strict=True))
    assert 2 < len(points["red"]) <= 16
    assert np.abs(np.array(curves.drawn(points["red"])) - table[0]).max() < 1.5 / 255


def test_a_curve_no_points_can_follow_is_free_hand():
    steps = [float(k // 16 % 2) for k in range(256)]
    assert curves.points_for({"red": steps}, None) == {"red": None}
    assert "(curve-type free)" in curves.curves_settings({"red": steps}, {"red": None})


def test_points_are_left_out_where_a_steep_curve_makes_their_error_too_large():
    steep = {"kind": "curves", "x": [0, 0.1, 1], "y": [[0, 0.05, 1], [0, 0.9, 1], [0, 0.1, 1]]}
    assert curves.growth([]) == curves.growth([{"kind": "saturation"}]) == 1
    assert curves.growth([steep, steep]) == pytest.approx(81)
    tables = curves.tables(adjustment, grey=False)
    points = curves.points_for(tables, None)
    errors = {name: 255 * np.abs(np.subtract(curves.drawn(points[name]), tables[name])).max() for name in tables}
    assert all(error < 1 for error in errors.values())
    for name, error in errors.items():
        assert curves.points_for(tables, None, 0.99 / error)[name] == points[name]
        assert curves.points_for(tables, None, 1.01 / error)[name] is None


def test_what_was_written_is_read_back_and_a_change_is_seen():
    tables = curves.tables(adjustment, grey=False)
    points = curves.points_for(tables, None)
    file = b"junk gimp:curves\0" + curves.curves_settings(tables, points).encode() + b"\0more"
    found = curves.read_curves(file)
    assert not curves.edited(found, tables, points)
    assert not curves.edited({name: curves.drawn(points[name]) for name in tables}, tables, points)
    assert curves.edited({**found, "green": [min(1.0, y + 0.01) for y in found["green"]]}, tables, points)
    assert curves.edited({**found, "value": [y * 0.9 for y in found["value"]]}, tables, points)
    assert curves.edited(None, tables, points)
    assert curves.read_curves(b"no effect here") is None
