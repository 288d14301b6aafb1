"""The hosts' own curves, and the few points that stand for a sampled tone curve."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmonize_engine.splines import closest_points, draggable_points, gimp_curve, krita_curve

levels = np.arange(256) / 255
both = pytest.mark.parametrize("curve", [krita_curve, gimp_curve])


@st.composite
def monotone_smooth_curves(draw: st.DrawFn) -> np.ndarray:
    """Rising curves with the exponential of a few cosines for a slope, between any black and white."""
    waves = [draw(st.floats(-1.2, 1.2)) / k for k in (1, 2, 3)]
    slope = np.exp(sum(wave * np.cos(k * np.pi * levels) for k, wave in enumerate(waves, start=1)))
    rising = np.cumsum(slope) - slope[0]
    black, white = draw(st.floats(-0.1, 0.2)), draw(st.floats(0.8, 1.1))
    return np.clip(black + (white - black) * rising / rising[-1], 0, 1)


@both
def test_a_curve_passes_through_its_points_and_is_flat_beyond_them(curve):
    xs, ys = [51 / 255, 0.4, 0.6, 204 / 255], [0.3, 0.35, 0.7, 0.75]
    assert curve(xs, ys, xs) == pytest.approx(ys, abs=1e-12)
    assert curve(xs, ys, [0, 0.1, 0.9, 1]) == pytest.approx([0.3, 0.3, 0.75, 0.75], abs=1e-12)


@both
def test_a_curve_is_clamped(curve):
    drawn = curve([0, 0.2, 0.25, 0.75, 0.8, 1], [0, 0, 1, 1, 0, 0], levels)
    assert drawn.min() == 0 and drawn.max() == 1


def test_krita_draws_a_natural_cubic_spline():
    """Three points, by hand: the second derivative at the middle is -12 for the tent, zero at both ends."""
    assert krita_curve([0, 0.5, 1], [0, 1, 0], [0.25]) == pytest.approx([0.5 + 12 / 64 / 1])


def test_gimp_draws_a_bezier_with_tangents_along_the_neighbours_chord():
    """By hand, on a symmetric plateau: the middles of the first and the second segment, from the handles."""
    xs, ys = [0, 0.25, 0.75, 1], [0, 0.5, 0.5, 0]
    chord = 0.5 / 0.75
    arrive = 0.5 - chord * 0.25 / 3
    first = (0 + 3 * arrive / 2 + 3 * arrive + 0.5) / 8
    assert gimp_curve(xs, ys, [0.125]) == pytest.approx([first])
    assert gimp_curve(xs, ys, [0.5]) == pytest.approx([0.5 + 6 * (chord * 0.5 / 3) / 8])


@both
@pytest.mark.parametrize("count", [2, 33, 256, 1024])
def test_identity_stays_two_points(curve, count):
    xs, ys = draggable_points(np.linspace(0, 1, count), curve)
    assert xs.tolist() == ys.tolist() == [0, 1]


@both
@settings(max_examples=60, deadline=None)
@given(samples=monotone_smooth_curves())
def test_smooth_curves_need_at_most_sixteen_points(curve, samples):
    points = draggable_points(samples, curve)
    assert points is not None
    xs, ys = points
    assert len(xs) <= 16 and (np.diff(xs) > 0).all()
    assert (xs[0], xs[-1]) == (0, 1)
    assert (ys[0], ys[-1]) == pytest.approx((samples[0], samples[-1]), abs=1e-6)
    assert np.abs(curve(xs, ys, levels) - samples).max() <= 1.001 / 255


@both
def test_the_closest_points_are_closer_than_the_fewest(curve):
    knots = np.linspace(0, 1, 33)
    samples = np.interp(levels, knots, 0.1 + 0.8 / (1 + np.exp(-9 * (knots - 0.4))))
    errors = []
    for points in (closest_points, draggable_points):
        xs, ys = points(samples, curve)
        assert len(xs) <= 16
        errors.append(np.abs(curve(xs, ys, levels) - samples).max())
    assert errors[0] < 0.3 * errors[1]
    assert closest_points(samples, curve, tolerance=errors[0] / 2) is None


@both
def test_coordinates_lie_on_the_grid_and_have_six_digits(curve):
    xs, ys = draggable_points(levels**0.45, curve)
    assert xs * 255 == pytest.approx(np.rint(xs * 255), abs=1e-3)
    for value in (*xs, *ys):
        assert float(f"{value:.6g}") == value


@both
def test_fewer_points_for_more_tolerance(curve):
    close, loose = (draggable_points(levels**0.45, curve, tolerance=level / 255)[0] for level in (1, 4))
    assert len(loose) < len(close)


@both
def test_a_staircase_cannot_be_drawn(curve):
    assert draggable_points(np.floor(levels * 7.99) / 7, curve) is None


@both
def test_too_few_points_allowed_gives_none(curve):
    assert draggable_points(1 / (1 + np.exp(-12 * (levels - 0.5))), curve, most=3) is None
