"""Settings of GIMP's Curves dialog hold our exact curves and points to drag."""

import re

import numpy as np
import pytest

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files import gimp_curves
from harmonize_engine.files.xcf.effects import closest_samples
from harmonize_engine.saturation import Saturation
from harmonize_engine.splines import gimp_curve
from tests.harmonize_engine.files.layered_pictures import layered, light, warm

channel = re.compile(r"\(channel ([a-z]+)\)\s*\(curve\s*(.*?)\)\)\s*(?=\(channel|#)", re.DOTALL)


def numbers(name: str, curve: str) -> np.ndarray:
    count, *values = re.search(rf"\({name} ([^)]*)", curve).group(1).split()
    assert int(count) == len(values)
    return np.array(values, float)


def test_samples_are_ours_and_points_are_within_a_level_of_them(tmp_path):
    gimp_curves.write(layered(warm, warm, light), tmp_path / "a.gimpcurves")
    text = (tmp_path / "a.gimpcurves").read_text("ascii")
    assert text.startswith("# ")  # a comment; GIMP wants at least 64 bytes
    assert "(trc non-linear)" in text
    assert text.count("(") == text.count(")")
    curves = dict(channel.findall(text))
    assert list(curves) == ["value", "red", "green", "blue", "alpha"]
    expected = warm.then(warm)
    for name, y in zip(("red", "green", "blue"), expected.y, strict=True):
        table = closest_samples(expected.x, y)
        np.testing.assert_allclose(numbers("samples", curves[name]), table, atol=1e-8)
        xs, ys = numbers("points", curves[name]).reshape(-1, 2).T
        assert np.abs(gimp_curve(xs, ys, np.arange(256) / 255) - table).max() <= 1 / 255 + 1e-9


@pytest.mark.parametrize("knots", [2, 9, 33])
def test_lines_between_the_samples_miss_half_of_what_lines_between_places_of_the_curve_would(knots):
    levels, everywhere = np.arange(256) / 255, np.linspace(0, 1, 255 * 64 + 1)
    x = np.linspace(0, 1, knots)
    for y in (x**0.6, 0.1 + 0.8 * x**2.2, 1 - x):
        samples, wanted = closest_samples(x, y), np.interp(everywhere, x, y)
        missed = [np.abs(np.interp(everywhere, levels, held) - wanted).max() for held in (samples, np.interp(levels, x, y))]
        assert missed[0] <= 0.51 * missed[1] + 1e-12
        assert samples[[0, -1]].tolist() == y[[0, -1]].tolist()


def test_samples_keep_rising_and_flat_parts_stay_flat():
    x = np.array([0, 0.3, 0.3005, 0.301, 0.6, 0.6035, 1])
    samples = closest_samples(x, np.array([0.2, 0.2, 0.3, 0.8, 0.8, 0.81, 1]))
    assert (np.diff(samples) >= 0).all()
    assert (samples[:76] == 0.2).all() and (samples[78:153] == 0.8).all()


def test_saturation_is_refused(tmp_path):
    with pytest.raises(HarmonizeError) as refusal:
        gimp_curves.write(layered(Saturation(0.3), warm), tmp_path / "a.gimpcurves")
    assert refusal.value.code == "not_expressible"
    assert list(tmp_path.iterdir()) == []
