"""Photoshop's curves, read back by the format's rules and drawn with a natural cubic spline."""

import struct

import numpy as np
import pytest

from harmonize_engine.curves import Curves
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files import acv
from harmonize_engine.saturation import Saturation
from harmonize_engine.splines import krita_curve
from tests.harmonize_engine.files.layered_pictures import layered, light, warm

levels = np.arange(256) / 255


def read_back(path) -> list[list[tuple[int, int]]]:
    numbers = struct.unpack(f">{path.stat().st_size // 2}H", path.read_bytes())
    assert numbers[:2] == (4, 4)  # version; composite, red, green, blue
    curves, at = [], 2
    for _ in range(4):
        count = numbers[at]
        pairs = np.reshape(numbers[at + 1 : at + 1 + 2 * count], (count, 2))
        curves.append([(int(given), int(output)) for output, given in pairs])
        at += 1 + 2 * count
    assert at == len(numbers)
    return curves


def drawn(points: list[tuple[int, int]]) -> np.ndarray:
    xs, ys = np.array(points, float).T / 255
    return krita_curve(xs, ys, levels)


def tone_curves() -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    smooth = np.cumsum(np.exp(sum(random.normal() * np.cos(k * np.pi * levels) for k in (1, 2, 3))))
    return {
        "gamma 0.45": levels**0.45,
        "gamma 2.2": levels**2.2,
        "sigmoid": 1 / (1 + np.exp(-8 * (levels - 0.5))),
        "lift": np.clip(0.05 + 1.1 * levels, 0, 1),
        "random": 0.1 + 0.85 * (smooth - smooth[0]) / (smooth[-1] - smooth[0]),
    }


@pytest.mark.parametrize("name", tone_curves())
def test_curves_come_back_within_a_level_and_three_at_a_sharp_bend(tmp_path, name):
    table = tone_curves()[name]
    curves = Curves.uniform([table, levels, table[::-1]])
    acv.write(layered(curves, light), tmp_path / "a.acv")
    composite, *channels = read_back(tmp_path / "a.acv")
    assert composite == [(0, 0), (255, 255)]
    for points, expected in zip(channels, curves.table(256), strict=True):
        xs, ys = zip(*points, strict=True)
        assert 2 <= len(points) <= 16
        assert list(xs) == sorted(set(xs))
        assert 0 <= min(ys) <= max(ys) <= 255
        assert np.abs(drawn(points) - expected).max() * 255 < (3 if name == "lift" else 1)


def test_a_curve_too_rough_for_16_points_is_followed_roughly(tmp_path):
    zigzag = 0.5 + 0.1 * np.sin(levels * 30)
    acv.write(layered(Curves.uniform([zigzag] * 3)), tmp_path / "a.acv")
    points = read_back(tmp_path / "a.acv")[1]
    assert [x for x, _ in points] == np.rint(np.linspace(0, 255, 16)).tolist()
    error = np.abs(drawn(points) - zigzag).max() * 255
    assert 1 < error < 0.1 * 255  # less than the zigzag itself


def test_curves_in_a_row_are_joined_and_strength_counts(tmp_path):
    acv.write(layered(warm, warm, color_strength=0.5), tmp_path / "a.acv")
    half = warm.blend(0.5)
    red = drawn(read_back(tmp_path / "a.acv")[1])
    assert np.abs(red - half.then(half).table(256)[0]).max() * 255 < 1.6


def test_saturation_is_refused_with_what_to_use_instead(tmp_path):
    with pytest.raises(HarmonizeError) as refusal:
        acv.write(layered(warm, Saturation(0.3), warm), tmp_path / "a.acv")
    assert refusal.value.code == "not_expressible"
    assert ".kra" in refusal.value.hint
    assert list(tmp_path.iterdir()) == []
