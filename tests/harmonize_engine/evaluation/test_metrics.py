import numpy as np
import pytest
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from harmonize_engine.evaluation.metrics import measure

random = np.random.default_rng(0)
truth = random.integers(0, 256, (60, 81, 3), np.uint8)
result = np.clip(truth + random.normal(0, 12, truth.shape), 0, 255).astype(np.uint8)
mask = np.zeros((60, 81), np.uint8)
mask[10:40, 20:60] = 255


def test_whole_picture_figures_are_those_of_scikit_image():
    found = measure(result, truth, mask)
    assert found.mse == pytest.approx(mean_squared_error(result, truth))
    assert found.psnr == pytest.approx(peak_signal_noise_ratio(truth, result, data_range=255))
    assert found.ssim == pytest.approx(structural_similarity(truth, result, channel_axis=2, data_range=255))


def test_fmse_counts_the_foreground_alone():
    changed = truth.copy()
    changed[10:40, 20:60] ^= 8
    found = measure(changed, truth, mask)
    assert found.fmse == 64
    assert found.mse == pytest.approx(64 * mask.mean() / 255)


def test_soft_edges_count_by_their_weight():
    soft = np.where(np.arange(81) < 40, 255, 51).astype(np.uint8)[None].repeat(60, 0)
    changed = truth.copy()
    changed[:, 40:] ^= 8
    full, faint = 40 * 60, 41 * 60 * 0.2
    assert measure(changed, truth, soft).fmse == pytest.approx(64 * faint / (full + faint))


def test_16_bit_and_float_pictures_are_measured_in_8_bit_levels():
    deep = truth.astype(np.uint16) * 257
    assert measure(result.astype(np.float32) / np.float32(255), deep, mask).fmse == pytest.approx(
        measure(result, truth, mask).fmse, rel=1e-4
    )


def test_equal_pictures_have_infinite_psnr():
    found = measure(truth, truth, mask)
    assert (found.mse, found.psnr, found.ssim) == (0, float("inf"), 1)
