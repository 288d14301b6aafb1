"""Small composites with something pasted into them, and the requests made of them."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def scene(seed: int = 0, width: int = 96, height: int = 64) -> tuple[Bytes, Bytes]:
    """A picture (H, W, 3) and the soft mask (H, W) of a patch in it that is too blue; another seed, other colours."""
    random = np.random.default_rng(seed)
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    tint = random.uniform(0.2, 0.8, 3)
    image = tint * (0.4 + 0.6 * across[..., None]) + 0.1 * random.random((height, width, 3))
    mask = np.clip(8 * (0.3 - np.hypot(across - 0.5, down - 0.5)) + 0.5, 0, 1)
    pasted = image * [0.7, 0.8, 1.4]
    mixed = image * (1 - mask[..., None]) + pasted * mask[..., None]
    return np.rint(255 * np.clip(mixed, 0, 1)).astype(np.uint8), np.rint(255 * mask).astype(np.uint8)


def question(image: Bytes, mask: Bytes, **others: Any) -> dict[str, Any]:
    """The JSON of a request to harmonize; planes among the others become base64."""
    height, width = mask.shape
    planes = {"composite": image, "mask": mask} | others
    encoded = {name: base64_of(plane) if isinstance(plane, np.ndarray) else plane for name, plane in planes.items()}
    return {"width": width, "height": height} | encoded


def base64_of(plane: Bytes) -> str:
    return base64.b64encode(plane.tobytes()).decode()
