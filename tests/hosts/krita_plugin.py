"""The Krita plug-in in a root, and pictures to harmonize with it."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from roots import Root

from harmonize_engine.curves import Curves
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.pictures.depth import as_depth
from harmonize_engine.shading import Shading
from harmonize_engine.splines import draggable_points, krita_curve

here = Path(__file__).resolve().parent
builder = here.parents[1] / "plugin_krita" / "build.py"

width, height = 173, 105  # several tiles, neither side a whole number of them
types = {"U8": np.uint8, "U16": np.uint16, "F16": np.float16, "F32": np.float32}
rows, columns = np.mgrid[0:height, 0:width]


@dataclass
class Desk:
    """A root with the plug-in, whose engine gives the `answer`."""

    root: Root

    def __post_init__(self) -> None:
        subprocess.run([sys.executable, builder, self.root.share / "plugin"], check=True)
        shutil.copy(here / "krita_desk.py", self.root.bench)

    def run(self, script: str, *arguments: object, answer: Harmonization | None = None) -> object:
        """Run a script that has all of krita_desk, in a Krita of its own, and return what it put into `said`."""
        told = answer or Harmonization((tone_curves(1), light_map(0.6, 1.6)), "test", "1")
        points = [points_of(one) for one in told.adjustments]
        content = {"harmonization": json.loads(told.to_json()), "points": points}
        (self.root.share / "answer.json").write_text(json.dumps(content))
        start = "from bench import arguments, result\nfrom krita_desk import *\n"
        return json.loads(self.root.krita(f"{start}{script}\nresult(json.dumps(said))", *arguments))

    def put(self, name: str, pixels: np.ndarray) -> None:
        """Hand pixels or a mask to the scripts, which find them as `share / name`."""
        (self.root.share / name).write_bytes(pixels.tobytes())

    def got(self, name: str, depth: str) -> np.ndarray:
        """Take pixels from a script, RGBA in the document's depth."""
        pixels = np.fromfile(self.root.share / name, types[depth]).reshape(height, width, 4)
        return pixels if depth.startswith("F") else pixels[..., [2, 1, 0, 3]]


def scene() -> np.ndarray:
    """Noise on waves of colour, a grey ramp, and plain white and black; (H, W, 3) in [0,1]."""
    random = np.random.default_rng(4)
    waves = [np.sin(rows / 9 + 2 * c) * np.cos(columns / (7 + 3 * c)) for c in range(3)]
    colours = 0.5 + 0.5 * np.stack(waves, -1) + random.normal(0, 0.04, (height, width, 3))
    colours[50:54] = columns[:4, :, None] / (width - 1)
    colours[54:58], colours[58:62] = 1, 0
    return np.clip(colours, 0, 1)


def soft_disc() -> np.ndarray:
    """A mask with an edge of many pixels, (H, W) in [0,1]."""
    return np.clip(1.5 - np.hypot(rows - 55, columns - 90) / 40, 0, 1)


def native(colours: np.ndarray, alpha: np.ndarray, depth: str) -> np.ndarray:
    """Pixels as Krita has them in memory: integers blue first, floats red first."""
    pixels = np.dstack([colours, alpha])
    return pixels.astype(types[depth]) if depth.startswith("F") else as_depth(pixels, types[depth])[..., [2, 1, 0, 3]]


def usual(pixels: np.ndarray) -> np.ndarray:
    """The same pixels as the engine takes them: red first; halves as floats."""
    return pixels.astype(np.float32) if pixels.dtype.kind == "f" else pixels[..., [2, 1, 0, 3]]


def tone_curves(seed: int) -> Curves:
    """A prediction as the model makes it: 33 knots, rising, each channel its own."""
    random = np.random.default_rng(seed)
    bends = sum(random.normal(0, 0.5, (3, 1)) * np.cos(k * np.pi * np.linspace(0, 1, 32)) for k in (1, 2, 3))
    rise = np.cumsum(np.pad(np.exp(bends), ((0, 0), (1, 0))), axis=1)
    return Curves.uniform(0.04 + 0.9 * (rise - rise[:, :1]) / (rise[:, -1:] - rise[:, :1]))


def light_map(low: float, high: float) -> Shading:
    """Light that changes over the whole picture."""
    down, across = np.mgrid[0:16, 0:16] / 15
    return Shading(low + (high - low) * (0.5 + 0.5 * np.sin(4 * across + 5 * down**2)))


def points_of(adjustment: object) -> list[dict[str, list[float]]] | None:
    """What the engine's server sends for Krita's own curve."""
    if not isinstance(adjustment, Curves):
        return None
    found = [draggable_points(table, krita_curve) for table in adjustment.table(256)]
    return [{"x": points[0].tolist(), "y": points[1].tolist()} for points in found if points is not None]
