import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def photographs_folder(tmp_path_factory):
    """Forty-eight little photographs with masks, as a user would lay them out, in three shapes."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    random = np.random.default_rng(0)
    for number in range(48):
        width, height = ((120, 80), (80, 120), (96, 96))[number % 3]
        y, x = np.mgrid[0:height, 0:width]
        colour = random.uniform(0.2, 0.8, 3)
        waves = np.stack([np.sin(x / random.uniform(4, 20) + y / random.uniform(4, 20) + c) for c in range(3)], -1)
        picture = np.clip(colour + 0.25 * waves + random.normal(0, 0.03, (height, width, 1)), 0, 1)
        inside = np.hypot((x / width - 0.5) * 3, (y / height - 0.5) * 3) < 1
        Image.fromarray((picture * 255).astype(np.uint8)).save(folder / "images" / f"photo{number:02}.jpg")
        Image.fromarray((inside * 255).astype(np.uint8)).save(folder / "masks" / f"photo{number:02}.png")
    return folder
