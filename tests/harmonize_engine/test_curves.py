import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harmonize_engine import Curves, HarmonizeError

values = arrays(np.float64, (3, 9), elements=st.floats(0, 1))


def test_the_identity_changes_nothing():
    picture = np.random.default_rng(0).random((5, 7, 3))
    assert np.array_equal(Curves.identity().apply(picture), picture)
    assert Curves.identity().is_identity


def test_knots_are_met_exactly_and_joined_by_straight_lines():
    curves = Curves(np.array([0, 0.25, 1]), np.array([[0.1, 0.5, 0.9]] * 3))
    red = curves.apply(np.array([[0, 0, 0], [0.25, 0, 0], [0.125, 0, 0], [1, 0, 0], [1.7, 0, 0]]))[:, 0]
    assert red == pytest.approx([0.1, 0.5, 0.3, 0.9, 0.9])


def test_a_table_samples_the_ends_exactly():
    curves = Curves.uniform([[0.2, 0.7, 0.8], [0, 0.5, 1], [0.3, 0.4, 1]])
    table = curves.table(256)
    assert table.shape == (3, 256)
    assert table[:, 0].tolist() == [0.2, 0, 0.3]
    assert table[:, -1].tolist() == [0.8, 1, 1]


@given(values, values)
def test_two_curves_joined_into_one_give_what_both_give_in_turn(first, second):
    one, two = Curves.uniform(first), Curves.uniform(second)
    picture = np.random.default_rng(1).random((64, 3))
    assert one.then(two).apply(picture) == pytest.approx(two.apply(one.apply(picture)), abs=1e-9)


@given(values, st.floats(0, 1))
def test_blending_is_what_a_layers_opacity_does(y, strength):
    curves = Curves.uniform(y)
    picture = np.random.default_rng(2).random((64, 3))
    mixed = (1 - strength) * picture + strength * curves.apply(picture)
    assert curves.blend(strength).apply(picture) == pytest.approx(mixed, abs=1e-12)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([0, 1], [[0, 1]] * 2),
        ([0, 0.5], [[0, 1]] * 3),
        ([0.1, 1], [[0, 1]] * 3),
        ([0, 0.5, 0.5, 1], [[0, 0.5, 0.6, 1]] * 3),
        ([0, 1], [[0, 1.01]] * 3),
        ([0, 1], [[0, float("nan")]] * 3),
        ([0], [[0]] * 3),
    ],
)
def test_what_is_not_a_tone_curve_is_refused(x, y):
    with pytest.raises(HarmonizeError) as error:
        Curves(np.array(x), np.array(y))
    assert error.value.code == "bad_curves"


def test_curves_cannot_be_changed_behind_ones_back():
    curves = Curves.identity()
    with pytest.raises(ValueError, match="read-only"):
        curves.y[0, 0] = 0.5
