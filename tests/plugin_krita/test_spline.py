"""Krita's curve in plain Python is the engine's model of it, and few points follow a tone curve."""

import numpy as np
import pytest
from harmonize_krita import spline

from harmonize_engine.splines import krita_curve

grid = np.arange(256) / 255


def power(exponent: float) -> list[float]:
    return (grid**exponent).tolist()


@pytest.mark.parametrize(
    "xs, ys", [([0, 1], [0, 1]), ([0, 0.3, 1], [0.2, 0.9, 0.1]), ([0.1, 0.2, 0.6, 0.9], [0, 1, 0.4, 1])]
)
def test_it_is_the_engines_curve(xs, ys):
    assert np.allclose(spline.drawn(xs, ys), krita_curve(xs, ys, grid), atol=1e-12)


@pytest.mark.parametrize("exponent", [0.45, 0.8, 1, 2.2])
def test_few_points_stay_within_the_tolerance(exponent):
    xs, ys = spline.fitted(power(exponent), [0.5 / 255] * 256, 16)
    assert len(xs) <= 16
    assert np.abs(krita_curve(xs, ys, grid) - grid**exponent).max() <= 0.5 / 255


def test_what_asks_for_more_points_is_left_to_somebody_else():
    steps = [0.2 * (k // 16 % 3) for k in range(256)]
    assert spline.fitted(steps, [0.5 / 255] * 256, 16) is None


def test_as_many_points_as_krita_has_are_exact():
    random = np.random.default_rng(1).random(256)
    xs, ys = spline.even(random.tolist(), 256)
    assert np.abs(krita_curve(xs, ys, grid) - random).max() < 0.1 / 255


def test_between_knots_it_is_straight():
    assert [spline.linear([0, 0.5, 1], [0.1, 0.3, 0.9], x) for x in (-1, 0, 0.25, 0.5, 0.75, 2)] == pytest.approx(
        [0.1, 0.1, 0.2, 0.3, 0.6, 0.9]
    )
