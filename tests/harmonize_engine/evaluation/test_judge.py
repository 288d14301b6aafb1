import numpy as np
import pytest

from harmonize_engine.evaluation import metrics
from harmonize_engine.evaluation.entrants import Answer
from harmonize_engine.evaluation.inside import eroded, psnr_inside
from harmonize_engine.evaluation.judge import Judge, compare
from tests.harmonize_engine.evaluation.conftest import scene

darker = scene(0.7)


@pytest.mark.parametrize("rows", [slice(20, 40), slice(0, 5), slice(0, 64), slice(63, 64)])
def test_comparing_only_what_differs_gives_the_same_numbers(rows):
    result = darker.truth.copy()
    result[rows, 10:30] ^= 9
    found, expected = compare(result, darker.truth, darker.mask), metrics.measure(result, darker.truth, darker.mask)
    for field in ("mse", "fmse", "psnr", "ssim"):
        assert getattr(found, field) == pytest.approx(getattr(expected, field))


def test_equal_pictures_are_perfect():
    assert compare(darker.truth, darker.truth, darker.mask) == metrics.Metrics(0, 0, float("inf"), 1)


def test_an_answer_is_measured_against_truth_and_composite():
    judge = Judge(darker, "sha")
    perfect = judge.outcome("oracle", "1", Answer(darker.truth), 0.5)
    assert perfect.fmse == 0 and perfect.fmse_before > 100 and not perfect.worse
    assert perfect.gain == pytest.approx(np.sqrt(perfect.fmse_before))
    assert perfect.moved == pytest.approx(judge.outcome("x", "1", Answer(darker.truth), 0).moved)
    same = judge.outcome("composite", "1", Answer(darker.composite), 0)
    assert same.fmse == same.fmse_before and same.moved == 0 and not same.worse and same.gain == 0


def test_the_eroded_foreground_ignores_what_leaks_at_the_edge():
    mask = np.zeros((100, 100), np.uint8)
    mask[20:80, 20:80] = 255
    inner = eroded(mask)
    assert inner.sum() == 56 * 56 and inner[22, 22] and not inner[21, 22]
    truth = np.zeros((100, 100, 3), np.uint8)
    leaking = truth.copy()
    leaking[20, 20:80] = 200
    assert psnr_inside(leaking, truth, inner) == float("inf")
    leaking[50, 50] = 255
    assert psnr_inside(leaking, truth, inner) == pytest.approx(10 * np.log10(56 * 56))


def test_a_foreground_at_the_border_is_not_eroded_there_and_a_thin_one_is_left():
    mask = np.zeros((100, 100), np.uint8)
    mask[60:, :] = 255
    assert eroded(mask)[62:].all()
    mask = np.zeros((100, 100), np.uint8)
    mask[:, 50] = 255
    assert (eroded(mask) == (mask > 0)).all()
