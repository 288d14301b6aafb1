"""A small picture to harmonize in GIMP, and a way to ask what has become of it."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
from gimp_session import Session

from harmonize_engine.curves import Curves
from harmonize_engine.harmonization import Harmonization

brighter = Curves(np.array([0, 0.5, 1]), np.array([[0, 0.7, 1], [0, 0.6, 1], [0, 0.5, 1]]))
plain = Harmonization((brighter,), "test", "1")

# Blue Background, and above it Pasted: 20x16 at (10, 8), its right half transparent.
start = """
import struct

W, H = 64, 48

def flat(r, g, b, a=1.0, pixels=W * H):
    return struct.pack("<4f", r, g, b, a) * pixels

def scene(grey=False, precision="u8-non-linear"):
    image = image_of(W, H, precision, grey)
    under = layer_of(image, "Background", flat(0.2, 0.4, 0.6), W, H)
    halves = flat(0.8, 0.5, 0.3, 1, 10) + flat(0, 0, 0, 0, 10)
    return image, under, layer_of(image, "Pasted", halves * 16, 20, 16, 10, 8)

def tree(image):
    def line(layer):
        return [layer.get_name(), [line(child) for child in layer.get_children()]] if layer.is_group() else layer.get_name()
    return [line(layer) for layer in image.get_layers()]

def at(image, x, y):
    return [round(255 * v) for v in struct.unpack_from("<4f", shown(image), 16 * (y * image.get_width() + x))]
"""


def harmonized(values: list[int]) -> np.ndarray:
    """What `plain` makes of 8-bit values."""
    return 255 * brighter.apply(np.array([values[:3]]) / 255)[0]


def asking(session: Session) -> Callable[..., dict]:
    """Gives a function that runs a script after `start`; what the script puts into `answer` comes back."""

    def ask(script: str, harmonization: Harmonization = plain, mood: str = "well") -> dict:
        session.engine.harmonization, session.engine.mood = harmonization, mood
        return json.loads(session.run(f"{start}\nanswer = {{}}\n{script}\nresult(json.dumps(answer))"))

    ask.engine = session.engine
    return ask
