from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from harmonize_engine.models.discriminator import DiscriminatorConfig
from harmonize_engine.models.parametric import ParametricConfig
from harmonize_engine.training.config import experiments


def picture(random, width, height):
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / random.uniform(4, 20) + y / random.uniform(4, 20) + c) for c in range(3)], -1)
    grain = random.normal(0, 0.03, (height, width, 1))
    return (np.clip(random.uniform(0.2, 0.8, 3) + 0.25 * waves + grain, 0, 1) * 255).astype(np.uint8)


def disc(width, height):
    y, x = np.mgrid[0:height, 0:width]
    return ((np.hypot((x / width - 0.5) * 3, (y / height - 0.5) * 3) < 1) * 255).astype(np.uint8)


@pytest.fixture(scope="session")
def photographs_folder(tmp_path_factory):
    """Forty-eight little photographs with masks, as a user would lay them out, in three shapes."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    random = np.random.default_rng(0)
    for number in range(48):
        size = ((120, 80), (80, 120), (96, 96))[number % 3]
        Image.fromarray(picture(random, *size)).save(folder / "images" / f"photo{number:02}.jpg")
        Image.fromarray(disc(*size)).save(folder / "masks" / f"photo{number:02}.png")
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Where all tests keep their decoded photographs."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def small():
    """Both streams with everything switched on, for a very small network: a step takes a tenth of a second."""
    return replace(
        experiments["default"][1],
        network=ParametricConfig(widths=(8, 8, 12, 16), blocks=(0, 0, 0, 1), bins=8, hidden=32, trust=True),
        discriminator=DiscriminatorConfig(width=4, strides=(4, 2)),
        side=64,
        batch=6,
        replayed=0.2,
        paired=0.4,
        warm_up=2,
        steps=8,
        log_every=1,
        evaluate_every=4,
        save_every=0.0,
        validate_on=2,
    )
