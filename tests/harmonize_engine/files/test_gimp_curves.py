"""Settings of GIMP's Curves dialog hold our exact curves and points to drag."""

import re

import numpy as np
import pytest

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files import gimp_curves
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
    expected = warm.then(warm).table(256)
    for name, table in zip(("red", "green", "blue"), expected, strict=True):
        np.testing.assert_allclose(numbers("samples", curves[name]), table, atol=1e-8)
        xs, ys = numbers("points", curves[name]).reshape(-1, 2).T
        assert np.abs(gimp_curve(xs, ys, np.arange(256) / 255) - table).max() <= 1 / 255 + 1e-9


def test_saturation_is_refused(tmp_path):
    with pytest.raises(HarmonizeError) as refusal:
        gimp_curves.write(layered(Saturation(0.3), warm), tmp_path / "a.gimpcurves")
    assert refusal.value.code == "not_expressible"
    assert list(tmp_path.iterdir()) == []
