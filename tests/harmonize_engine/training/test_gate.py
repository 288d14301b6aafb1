import pytest

from harmonize_engine.training import gate


def outcome(before, after, fmse_before, fmse, magnitude=0.5):
    return {
        "before": before,
        "after": after,
        "fmse_before": fmse_before,
        "fmse": fmse,
        "moved": 5.0,
        "magnitude": magnitude,
    }


spoiled = outcome(0.3, 0.7, 900.0, 100.0)
fitting = outcome(0.8, 0.85, 0.0, 25.0, magnitude=0)
misread = outcome(0.4, 0.3, 50.0, 400.0)


def test_what_fits_or_would_not_gain_is_left_alone():
    found = gate.with_gate([spoiled, fitting, misread], 0.7)
    assert found["left alone"] == pytest.approx(2 / 3)
    assert found["made worse"] == 0
    assert found["untouched moved"] == 0
    assert found["fMSE ratio"] == pytest.approx((100 + 0 + 50) / (900 + 0 + 50))


def test_a_gate_that_is_too_high_lets_harm_through():
    assert gate.with_gate([spoiled, fitting], 0.9)["made worse"] == 0.5


def test_the_highest_threshold_that_harms_few_enough_is_chosen():
    assert gate.choose([spoiled] * 9 + [fitting]) == max(gate.thresholds)
    assert gate.choose([spoiled] * 4 + [fitting]) == 0.8
