"""The two families that nothing is trained on: another camera, and film looks."""

import re
from pathlib import Path

import numpy as np

from harmonize_engine.evaluation import development, film
from tests.harmonize_engine.evaluation.conftest import photograph

image, _ = photograph(1)


def test_training_imports_neither():
    training = Path(__file__).parents[3] / "harmonize_engine" / "training"
    for path in training.rglob("*.py"):
        text = path.read_text()
        assert "evaluation.development" not in text and "evaluation.film" not in text, path
        assert not re.search(r"evaluation import .*\b(development|film)\b", text), path


def best_curves(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What is left when every channel is sent through the best of all curves: the mean of its own level."""
    left = np.zeros_like(after)
    for c in range(3):
        level = np.rint(before[..., c] * 40).astype(int)
        means = np.bincount(level.ravel(), after[..., c].ravel(), 41) / np.maximum(
            np.bincount(level.ravel(), minlength=41), 1
        )
        left[..., c] = after[..., c] - means[level]
    return left


def test_at_magnitude_0_it_is_the_same_camera():
    assert np.abs(development.develop(image, 0.0, np.random.default_rng(0)) - image).max() < 0.002


def test_the_tone_curve_keeps_its_ends_and_pivot_and_can_be_undone():
    values = np.linspace(0, 1, 11, dtype=np.float32)
    shown = development.tone(values, 1.4, 0.5)
    assert np.allclose(shown[[0, 5, 10]], [0, 0.5, 1], atol=1e-4)
    assert np.allclose(development.tone(shown, 1 / 1.4, 0.5), values, atol=1e-3)


def test_the_colour_filters_keep_grey_grey():
    for seed in range(10):
        camera = development.Camera.draw(1.0, np.random.default_rng(seed))
        assert np.allclose(camera.matrix.sum(1), 1)


def test_a_table_of_its_own_places_changes_nothing():
    axis = np.linspace(0, 1, 9, dtype=np.float32)
    identity = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    assert np.allclose(film.through(image, identity), image, atol=1e-6)


def test_between_nodes_the_table_is_linear():
    corners = np.zeros((2, 2, 2, 3), np.float32)
    corners[1, 1, 1] = 1
    assert np.allclose(film.through(np.array([[0.5, 0.5, 0.5]], np.float32), corners), 1 / 8)
    assert np.allclose(film.through(np.array([[1.0, 0.5, 1.0]], np.float32), corners), 1 / 2)


def test_a_look_of_magnitude_0_hardly_changes_a_picture():
    assert np.abs(film.look(image, 0.0, np.random.default_rng(0)) - image).max() < 0.01


def test_neither_can_be_said_with_tone_curves():
    for change in (development.develop, film.look):
        errors = [best_curves(image, change(image, 1.0, np.random.default_rng(seed))).std() for seed in range(6)]
        assert max(errors) > 3 / 255
