import numpy as np

from harmonize_engine.evaluation import colour, transfers
from tests.harmonize_engine.evaluation.conftest import photograph

image, mask = photograph(1)
target, target_mask = photograph(2, 40, 60)
inside, wanted = mask > 0, target_mask > 0


def test_reinhard_gives_the_foreground_the_mean_and_spread_of_the_target_in_lab():
    found = colour.lab(transfers.reinhard(image, mask, target, target_mask))[inside]
    goal = colour.lab(target)[wanted]
    assert np.allclose(found.mean(0), goal.mean(0), atol=1.0)
    assert np.allclose(found.std(0), goal.std(0), rtol=0.1)


def test_covariance_gives_it_the_mean_and_covariance_in_rgb():
    found = transfers.covariance(image, mask, target, target_mask)[inside]
    assert np.allclose(found.mean(0), target[wanted].mean(0), atol=0.01)
    assert np.allclose(np.cov(found.T), np.cov(target[wanted].T), atol=0.002)


def test_histograms_give_it_the_distribution_of_every_channel():
    found = transfers.histograms(image, mask, target, target_mask)[inside]
    shares = np.linspace(0.1, 0.9, 9)
    assert np.allclose(np.quantile(found, shares, axis=0), np.quantile(target[wanted], shares, axis=0), atol=0.03)


def test_a_picture_matched_to_itself_stays():
    for transfer in transfers.transfers:
        assert np.allclose(transfer(image, mask, image, mask), image, atol=0.02)


def test_lab_and_back_is_the_same_colour_and_white_is_100():
    assert np.allclose(colour.from_lab(colour.lab(image)), image, atol=1e-4)
    assert np.allclose(colour.lab(np.ones((1, 3), np.float32)), [[100, 0, 0]], atol=0.02)
