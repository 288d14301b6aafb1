from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harmonize_engine.evaluation.outcome import Outcome
from harmonize_engine.evaluation.scene import Scene

tests, calibrates, trains = (0, 2, 4), (1, 6), 3  # by the hash of their names


def photograph(number: int, height: int = 64, width: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """A little picture of waves and noise, (H, W, 3) in [0,1] as float32, and a round mask (H, W) in its middle."""
    random = np.random.default_rng(number)
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / random.uniform(4, 20) + y / random.uniform(4, 20) + c) for c in range(3)], -1)
    picture = random.uniform(0.25, 0.7, 3) + 0.2 * waves + random.normal(0, 0.03, (height, width, 1))
    inside = np.hypot((x / width - 0.5) * 3, (y / height - 0.5) * 3) < 1
    return np.clip(picture, 0, 1).astype(np.float32), inside.astype(np.float32)


def eight_bit(unit: np.ndarray) -> np.ndarray:
    return np.rint(unit * 255).astype(np.uint8)


def save(unit: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(eight_bit(unit)).save(path)


def scene(gain: float = 0.7, group: str = "retouch-full", name: str = "photo") -> Scene:
    """A photograph whose foreground was darkened."""
    truth, mask = photograph(1)
    composite = truth * (1 + (gain - 1) * mask[..., None])
    return Scene(group, name, eight_bit(composite), eight_bit(mask), eight_bit(truth), "retouch", 1.0)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of six photographs with masks; by its index five validate, three of them in the half that tests."""
    folder = tmp_path / "photographs"
    for number in (*tests, *calibrates, trains):
        picture, mask = photograph(number)
        save(picture, folder / "images" / f"photo{number}.png")
        save(mask, folder / "masks" / f"photo{number}.png")
    rows = [f"photo{n},photo{n},{'train' if n == trains else 'val'}" for n in (*tests, *calibrates, trains)]
    (folder / "index.csv").write_text("id,image,split\n" + "\n".join(rows))
    return folder


usual = Outcome(
    group="retouch-full",
    name="photo",
    entrant="ours",
    family="retouch",
    magnitude=1.0,
    foreground=0.1,
    mse=1.0,
    fmse=25.0,
    psnr=30.0,
    ssim=0.9,
    psnr_inside=31.0,
    lpips=None,
    fmse_before=100.0,
    moved=2.0,
    harmony_before=None,
    harmony_after=None,
    left=False,
    seconds=0.1,
    scene_sha256="aa",
    fingerprint="bb",
)


@pytest.fixture
def outcome() -> Callable[..., Outcome]:
    """Makes outcomes: `outcome("ours", fmse=25, fmse_before=100)`."""

    def make(entrant: str = "ours", **given: object) -> Outcome:
        return replace(usual, entrant=entrant, **given)

    return make
