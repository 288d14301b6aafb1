import pytest

from harmonize_engine.training import gate
from harmonize_engine.training.outcome import Outcome


def pair(name, before, after, fmse_before, fmse, magnitude=0.5):
    """One composite, and what the network makes of it and thinks of it."""
    shared = {"name": name, "set": "all", "family": "filters", "magnitude": magnitude, "fmse_before": fmse_before}
    figures = {"psnr": 30.0, "ssim": 0.9}
    composite = Outcome(**shared, **figures, row="composite", mse=1.0, fmse=fmse_before, moved=0.0)
    result = Outcome(**shared, **figures, row="parametric", mse=1.0, fmse=fmse, moved=5.0, before=before, after=after)
    return [composite, result]


spoiled = pair("spoiled", 0.3, 0.7, 900.0, 100.0)
fitting = pair("fitting", 0.8, 0.85, 0.0, 25.0, magnitude=0)
misread = pair("misread", 0.4, 0.3, 50.0, 400.0)


def test_what_fits_or_would_not_gain_is_left_alone():
    found = gate.account(spoiled + fitting + misread, 0.7)
    assert found["left alone"] == pytest.approx(2 / 3)
    assert found["made worse"] == 0
    assert found["untouched moved"] == 0
    assert found["fMSE ratio"] == pytest.approx((100 + 0 + 50) / (900 + 0 + 50))


def test_a_gate_that_is_too_high_lets_harm_through():
    assert gate.account(spoiled + fitting, 0.9)["made worse"] == 0.5


def test_the_highest_threshold_that_harms_few_enough_is_chosen():
    fine = [outcome for number in range(9) for outcome in pair(str(number), 0.3, 0.7, 900.0, 100.0)]
    assert gate.choose(fine + fitting) == max(gate.thresholds)
    assert gate.choose(fine[:8] + fitting) == 0.8
