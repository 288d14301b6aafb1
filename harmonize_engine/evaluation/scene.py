"""A composite, with its truth where it is known: what every entrant of a benchmark is given, and is judged by."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from PIL import Image

from harmonize_engine.composite import Composite, Pixels, Singles, proxy
from harmonize_engine.curves import Floats


@dataclass(frozen=True, eq=False)
class Scene:
    """A composite, the mask of its foreground and the truth: (H, W, 3), (H, W), (H, W, 3), 8-bit, display-encoded.

    truth: None where nobody knows it. group: the protocol or the subset of a dataset; name: unique in it. family and
    magnitude: how a made composite was made.
    """

    group: str
    name: str
    composite: Pixels
    mask: Pixels
    truth: Pixels | None
    family: str = ""
    magnitude: float = 1.0

    @cached_property
    def seen(self) -> Composite:
        """What a model looks at. Raises what `proxy` raises."""
        return proxy(self.composite, self.mask)

    @cached_property
    def foreground(self) -> float:
        """Which share of the picture the foreground is."""
        return float(self.mask.mean() / 255)

    @property
    def answer(self) -> Pixels:
        """The truth, for those who need it. Raises ValueError where nobody knows it."""
        if self.truth is None:
            raise ValueError(f"{self.group}/{self.name} has no truth")
        return self.truth

    @property
    def sha256(self) -> str:
        """Fingerprint of all pixels."""
        digest = hashlib.sha256(repr(self.composite.shape).encode())
        for plane in (self.composite, self.mask, self.truth):
            digest.update(b"" if plane is None else plane.tobytes())
        return digest.hexdigest()


class Entry(Protocol):
    """Where a scene comes from: small, so that it can be sent to another process."""

    @property
    def group(self) -> str:
        """The protocol or subset."""
        ...

    @property
    def name(self) -> str:
        """Unique in the group."""
        ...

    def scene(self) -> Scene:
        """Make or read the scene. Raises HarmonizeError."""
        ...

    def sources(self) -> Mapping[str, str]:
        """SHA-256 of the files it is made of, by what they are."""
        ...


def resized(picture: Image.Image, size: tuple[int, int], resampling: Image.Resampling) -> Pixels:
    """Resize to (width, height), 8-bit."""
    return np.asarray(picture if picture.size == size else picture.resize(size, resampling))


def levels(unit: Singles | Floats) -> Pixels:
    """Round values in [0,1] to 8 bits."""
    return np.rint(np.clip(unit, 0, 1) * np.float32(255)).astype(np.uint8)
