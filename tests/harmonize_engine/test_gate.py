import math

import pytest

from harmonize_engine.gate import Gate, Opinion, harmony, levels_off

calibrated = Gate(before=(0.1, 0.5), gain=(0.0, 0.5, -0.5, 0.0), least_gain=1.0)


def test_a_harmony_of_1_over_e_is_20_levels_off():
    assert levels_off(1 / math.e) == pytest.approx(20) and harmony(20) == pytest.approx(1 / math.e)
    assert levels_off(0) < 200  # a network that is sure of the worst is not taken at its word


def test_without_calibration_what_fits_already_or_would_not_gain_is_left():
    gate = Gate.read({"leave_above": 0.54})
    assert [gate.confidence(Opinion(*pair, 9)).leave for pair in ((0.5, 0.6), (0.55, 0.7), (0.5, 0.5))] == [
        False,
        True,
        True,
    ]
    assert gate.confidence(Opinion(0.5, 0.6, 9)).before == 0.5


def test_calibrated_harmony_is_of_the_errors_that_were_measured():
    found = calibrated.confidence(Opinion(harmony(20), harmony(8), 30))
    assert found.before == pytest.approx(0.1 + 0.5 / math.e, abs=1e-4)
    assert levels_off(found.after) == pytest.approx(levels_off(found.before) - 6, abs=0.01)
    assert not found.leave


def test_less_than_the_least_gain_is_not_worth_it():
    assert calibrated.confidence(Opinion(harmony(20), harmony(18.1), 30)).leave
    assert not calibrated.confidence(Opinion(harmony(20), harmony(17.9), 30)).leave


def test_a_loss_is_told_as_one():
    found = calibrated.confidence(Opinion(harmony(8), harmony(20), 30))
    assert found.after < found.before and found.leave


@pytest.mark.parametrize(("opinion", "gain"), [(Opinion(harmony(40), 1, 3), 3), (Opinion(1, harmony(40), 3), -3)])
def test_nobody_gains_or_loses_more_than_was_moved(opinion, gain):
    found = calibrated.confidence(opinion)
    assert levels_off(found.before) - levels_off(found.after) == pytest.approx(gain, abs=0.1)


def test_a_change_that_nobody_sees_is_not_made():
    far_off = Opinion(harmony(40), 1, 0.4)
    assert calibrated.confidence(far_off).leave and Gate.read({"leave_above": 0.9}).confidence(far_off).leave


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"leave_above": "high"},
        {"before": [1, 2], "gain": [1, 2, 3], "least_gain": 0},
        {"before": [1, math.nan], "gain": [1, 2, 3, 4], "least_gain": 0},
        {"before": 1, "gain": [1, 2, 3, 4], "least_gain": 0},
        {"before": [1, 2], "gain": [1, 2, 3, 4]},
    ],
)
def test_what_is_no_gate_is_refused(numbers):
    with pytest.raises((ValueError, TypeError, KeyError)):
        Gate.read(numbers)
