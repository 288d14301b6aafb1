"""The trained parametric network through ONNX Runtime: torch is not needed, the weights are inside the package."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harmonize_engine.composite import Composite, Singles
from harmonize_engine.curves import Curves
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Confidence, Harmonization
from harmonize_engine.render import exact
from harmonize_engine.shading import from_gain

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

folder = Path(__file__).parent / "weights"
cell, side = 16, 128  # sides of the network's input are multiples of `cell`, their mean near `side`


@dataclass(frozen=True)
class Card:
    """What is known of a set of weights, from its model card <name>.json."""

    name: str
    version: str
    sha256: str
    leave_above: float  # a composite this much in harmony is better left alone
    summary: str

    @classmethod
    def read(cls, name: str, weights: Path | None = None) -> "Card":
        """Read a model card. Raises HarmonizeError `weights_missing`."""
        path = (weights or folder) / f"{name}.json"
        if not path.is_file():
            raise _missing(name)
        card: dict[str, Any] = json.loads(path.read_text())
        return cls(name, card["version"], card["sha256"], card["gate"]["leave_above"], card["summary"])


@dataclass(frozen=True, eq=False)
class Network:
    """A network that is ready to predict."""

    card: Card
    session: "InferenceSession"

    @classmethod
    def load(cls, name: str, weights: Path | None = None, threads: int = 0) -> "Network":
        """Load weights whose SHA-256 is that of the card.

        Raises HarmonizeError `weights_missing`, `weights_changed` or `runtime_missing`.
        """
        card = Card.read(name, weights)
        path = (weights or folder) / f"{name}.onnx"
        if not path.is_file():
            raise _missing(name)
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != card.sha256:
            raise HarmonizeError(
                "weights_changed",
                f"The weights in {path.name} are not those of the model card: their SHA-256 differs.",
                "Install Harmonize again.",
            )
        return cls(card, _session(content, threads))

    def harmonize(self, composite: Composite) -> Harmonization:
        """Predict curves, light and harmony of a display-encoded composite; order [Curves, Shading]."""
        seen = composite.resized(*input_size(*composite.mask.shape))
        curves, gain, before = self._run(seen)
        adjustments = (Curves.uniform(curves), from_gain(gain))
        result = Harmonization(adjustments, self.card.name, self.card.version, self.card.sha256)
        rendered = exact(seen.image, seen.mask, result).astype(np.float32)
        _, _, after = self._run(replace(seen, image=rendered))
        leave = better_left(before, after, self.card.leave_above)
        confidence = Confidence(round(before, 4), round(after, 4), leave)
        return replace(result, confidence=confidence)

    def _run(self, seen: Composite) -> tuple[Singles, Singles, float]:
        background, reference = seen.to_match
        feed = {
            "composite": seen.image.transpose(2, 0, 1)[None],
            "mask": seen.mask[None, None],
            "background": background.transpose(2, 0, 1)[None],
            "reference": reference[None, None],
        }
        curves, gain, harmony = self.session.run(None, {k: np.ascontiguousarray(v, np.float32) for k, v in feed.items()})
        return np.asarray(curves)[0], np.asarray(gain)[0, 0], float(np.asarray(harmony)[0, 0])


@cache
def loaded(name: str) -> Network:
    """Load a network once and keep it."""
    return Network.load(name)


def _missing(name: str) -> HarmonizeError:
    return HarmonizeError(
        "weights_missing", f"The weights of the model {name!r} are not installed.", "Install Harmonize again."
    )


def _session(content: bytes, threads: int) -> "InferenceSession":
    try:
        import onnxruntime
    except ImportError as error:
        raise HarmonizeError(
            "runtime_missing", "ONNX Runtime is not installed.", "Install it with: pip install 'harmonize[cpu]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def better_left(before: float, after: float, leave_above: float) -> bool:
    """Decide by predicted harmony: what already fits, or would not gain, is better left as it is."""
    return before >= leave_above or after <= before


def input_size(height: int, width: int) -> tuple[int, int]:
    """Choose the network's input (height, width): the picture's shape, up to 2:1, at an area of about 128 x 128."""
    ratio = float(np.clip(width / height, 0.5, 2.0)) ** 0.5
    return max(cell, round(side / ratio / cell) * cell), max(cell, round(side * ratio / cell) * cell)
