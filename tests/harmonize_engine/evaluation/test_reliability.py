import numpy as np
import pytest

from harmonize_engine.evaluation import plot
from harmonize_engine.evaluation.reliability import calibration, predicted_gain, reliabilities, true_harmony


def test_harmony_is_1_without_error_and_1_over_e_at_20_levels():
    assert np.allclose(true_harmony(np.array([0.0, 400.0])), [1, np.exp(-1)])


def test_who_predicts_the_truth_is_calibrated():
    truth = np.linspace(0.1, 0.9, 200)
    found = calibration(truth, truth)
    assert found.error == pytest.approx(0) and found.correlation == pytest.approx(1)
    assert len(found.bins) == 10 and {b.count for b in found.bins} == {20}


def test_who_is_too_sure_is_off_by_as_much():
    truth = np.linspace(0.1, 0.8, 200)
    assert calibration(truth + 0.1, truth).error == pytest.approx(0.1)


def test_one_who_always_says_the_same_has_no_correlation():
    assert calibration(np.full(50, 0.5), np.linspace(0, 1, 50)).correlation == 0


@pytest.fixture
def opinions(outcome):
    """Twenty results: the model expects a loss of the ten that it makes worse."""
    found = []
    for n in range(20):
        bad = n < 10
        given = dict(name=str(n), fmse=200.0 if bad else 50.0, harmony_before=0.5, harmony_after=0.4 if bad else 0.6)
        found.append(outcome("ours", **given))
        found.append(outcome("ours:gate", **(given | ({"fmse": 100.0, "left": True} if bad else {}))))
    return found


def test_leaving_the_least_promising_first_removes_all_harm_at_half(opinions):
    (found,) = reliabilities(opinions)
    at = dict(zip(np.round(found.gate.left, 2), zip(found.gate.worse, found.gate.ratio, strict=True), strict=True))
    assert at[0.0] == (0.5, pytest.approx(1.25))
    assert at[0.5] == (0.0, pytest.approx(0.75))
    assert at[1.0] == (0.0, pytest.approx(1.0))


def test_the_gate_as_it_is_is_read_from_its_own_outcomes(opinions):
    (found,) = reliabilities(opinions)
    assert found.gate.now == (0.5, 0.0, pytest.approx(0.75))


def test_entrants_without_an_opinion_are_not_asked(outcome):
    assert reliabilities([outcome("mkl", name=str(n)) for n in range(20)]) == []


def test_the_gain_is_predicted_in_levels_and_compared_with_the_true_one(opinions):
    assert predicted_gain(opinions[-2]) == pytest.approx(20 * np.log(0.6 / 0.5))
    (found,) = reliabilities(opinions)
    assert found.gain.correlation == pytest.approx(1)
    assert [b.true for b in found.gain.bins] == pytest.approx([10 - 200**0.5] * 5 + [10 - 50**0.5] * 5)
    lost, won = 20 * np.log(0.4 / 0.5) - (10 - 200**0.5), 20 * np.log(0.6 / 0.5) - (10 - 50**0.5)
    assert found.gain.error == pytest.approx((abs(lost) + abs(won)) / 2)


def test_composites_without_a_truth_say_nothing_of_reliability(opinions, outcome):
    real = [
        outcome("ours", group="pasted", name=str(n), fmse=np.nan, fmse_before=np.nan, harmony_before=0.1, harmony_after=1)
        for n in range(5)
    ]
    assert reliabilities([*opinions, *real]) == reliabilities(opinions)


def test_the_drawings_hold_every_bin(opinions):
    (found,) = reliabilities(opinions)
    assert plot.gain(found.gain).count("<circle") == 10
    assert plot.reliability(found.before, found.after).count("<circle") == 20
    assert plot.gate(found.gate).count("<polyline") == 2
