"""The colour table, read back and interpolated as an editor does it, is our tone curves."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from harmonize_engine.curves import Curves
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files import cube
from harmonize_engine.saturation import Saturation
from tests.harmonize_engine.files.layered_pictures import flat, layered, light, warm

colours = np.random.default_rng(2).random((2000, 3))


def interpolated(path) -> np.ndarray:
    """Read a .cube by the format's rules, red fastest, and look up the colours trilinearly."""
    size, rows = 0, []
    for line in path.read_text("ascii").splitlines():
        if line.startswith("LUT_3D_SIZE"):
            size = int(line.split()[1])
        elif line[0].isdigit():
            rows.append([float(number) for number in line.split()])
    table = np.array(rows).reshape(size, size, size, 3)  # blue, green, red
    axis = np.linspace(0, 1, size)
    return RegularGridInterpolator((axis, axis, axis), table)(colours[:, ::-1])


def test_curves_with_knots_on_the_table_are_exact_and_the_light_map_is_left_out(tmp_path):
    cube.write(layered(warm, light), tmp_path / "a.cube")
    np.testing.assert_allclose(interpolated(tmp_path / "a.cube"), warm.apply(colours), atol=1e-6)


def test_other_curves_miss_at_most_their_change_of_slope_by_256(tmp_path):
    cube.write(layered(flat), tmp_path / "a.cube")
    bend = abs(0.3 / 0.31 - 0.5 / 0.69)
    errors = np.abs(interpolated(tmp_path / "a.cube") - flat.apply(colours))
    assert bend / 2560 < errors.max() <= bend / 256 + 1e-6


def test_several_curves_saturation_and_strength(tmp_path):
    cube.write(layered(warm, Saturation(-0.4), warm, color_strength=0.5), tmp_path / "a.cube")
    half = warm.blend(0.5)
    expected = half.apply(Saturation(-0.2).apply(half.apply(colours)))
    assert np.abs(interpolated(tmp_path / "a.cube") - expected).max() < 1 / 255


def test_colour_after_light_is_refused(tmp_path):
    with pytest.raises(HarmonizeError) as refusal:
        cube.write(layered(light, warm), tmp_path / "a.cube")
    assert refusal.value.code == "unsupported_order"
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_change_is_the_identity(tmp_path):
    cube.write(layered(Curves.identity()), tmp_path / "a.cube")
    np.testing.assert_allclose(interpolated(tmp_path / "a.cube"), colours, atol=1e-6)
