"""The trained parametric network through ONNX Runtime: torch is not needed, the weights are inside the package."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harmonize_engine import devices
from harmonize_engine.composite import Composite, Singles
from harmonize_engine.curves import Curves
from harmonize_engine.devices import Device
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
    def read(cls, name: str, folder: Path | None = None) -> "Card":
        """Read a model card, the package's own by default. Raises HarmonizeError `weights_missing` or `weights_broken`."""
        path = _within(folder) / f"{name}.json"
        if not path.is_file():
            raise _missing(name)
        try:
            card: dict[str, Any] = json.loads(path.read_bytes())
            return cls(name, card["version"], card["sha256"], float(card["gate"]["leave_above"]), card["summary"])
        except (ValueError, TypeError, KeyError) as error:
            raise _broken(path) from error


@dataclass(frozen=True, eq=False)
class Network:
    """A network that is ready to predict."""

    card: Card
    session: "InferenceSession"
    device: Device

    @classmethod
    def load(cls, name: str, folder: Path | None = None, threads: int = 1, device: str = "cpu") -> "Network":
        """Load weights whose SHA-256 is that of the card onto one of devices.names.

        threads: of the processor, 0 = one per core; for a network this small waking a second one takes what it saves.
        Raises HarmonizeError `weights_missing`, `weights_changed`, `weights_broken`, `runtime_missing` or
        `device_unknown`.
        """
        card = Card.read(name, folder)
        path = _within(folder) / f"{name}.onnx"
        if not path.is_file():
            raise _missing(name)
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != card.sha256:
            raise HarmonizeError(
                "weights_changed",
                f"The weights in {path.name} are not those of the model card: their SHA-256 differs.",
                "Install Harmonize again.",
            )
        try:
            return cls(card, *devices.session(content, device, threads))
        except HarmonizeError:
            raise
        except Exception as error:  # ONNX Runtime has a dozen exceptions of its own
            raise _broken(path) from error

    def harmonize(self, composite: Composite) -> Harmonization:
        """Predict curves, light and harmony of a display-encoded composite; order [Curves, Shading].

        Raises what `harmonize_all` raises.
        """
        return self.harmonize_all([composite])[0]

    def harmonize_all(self, composites: Sequence[Composite]) -> list[Harmonization]:
        """Predict for several display-encoded composites at once, in their order; the same as one by one.

        Raises HarmonizeError `not_finite` if one of them holds such values; then none is answered.
        """
        seen = [composite.resized(*input_size(*composite.mask.shape)) for composite in composites]
        for one in seen:
            _refuse_not_finite(one)
        before = self._look(seen)
        found = [self._harmonization(look) for look in before]
        rendered = [
            replace(one, image=exact(one.image, one.mask, result).astype(np.float32))
            for one, result in zip(seen, found, strict=True)
        ]
        after = self._look(rendered)
        return [
            replace(result, confidence=self._confidence(old.harmony, new.harmony))
            for result, old, new in zip(found, before, after, strict=True)
        ]

    def _harmonization(self, look: "_Look") -> Harmonization:
        adjustments = (Curves.uniform(look.curves), from_gain(look.gain))
        return Harmonization(adjustments, self.card.name, self.card.version, self.card.sha256)

    def _confidence(self, before: float, after: float) -> Confidence:
        return Confidence(round(before, 4), round(after, 4), better_left(before, after, self.card.leave_above))

    def _look(self, seen: Sequence[Composite]) -> "list[_Look]":
        """Look at composites of the network's input sizes, those of one size together."""
        sizes: dict[tuple[int, ...], list[int]] = {}
        for place, one in enumerate(seen):
            sizes.setdefault(one.mask.shape, []).append(place)
        looks: dict[int, _Look] = {}
        for places in sizes.values():
            looks |= zip(places, self._run([seen[place] for place in places]), strict=True)
        return [looks[place] for place in range(len(seen))]

    def _run(self, seen: Sequence[Composite]) -> "list[_Look]":
        matched = [one.to_match for one in seen]
        feed = {
            "composite": _channels_first([one.image for one in seen]),
            "mask": np.stack([one.mask for one in seen])[:, None],
            "background": _channels_first([plate for plate, _ in matched]),
            "reference": np.stack([weight for _, weight in matched])[:, None],
        }
        try:
            curves, gain, harmony = (np.asarray(output) for output in self.session.run(None, feed))
        except Exception as error:  # ONNX Runtime has a dozen exceptions of its own; drivers fail at any time
            raise HarmonizeError(
                "device_failed",
                f"The model {self.card.name!r} could not be run on the device {self.device.name}.",
                "Close other programs that need its memory, or choose the device cpu.",
            ) from error
        return [_Look(curves[n], gain[n, 0], float(harmony[n, 0])) for n in range(len(seen))]


@dataclass(frozen=True, eq=False)
class _Look:
    """What the network says of one composite. curves: (3, K) in [0,1]; gain: (h, w); harmony: 0..1."""

    curves: Singles
    gain: Singles
    harmony: float


def _channels_first(images: Sequence[Singles]) -> Singles:
    return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))


def _refuse_not_finite(composite: Composite) -> None:
    for plane in (composite.image, composite.mask, composite.background, composite.reference):
        if plane is not None and not np.isfinite(plane).all():
            raise HarmonizeError("not_finite", "The picture holds values that are not numbers (NaN).", "Replace them.")


@cache
def loaded(name: str, folder: Path | None = None) -> Network:
    """Load a network once and keep it."""
    return Network.load(name, folder)


def _within(chosen: Path | None) -> Path:
    return chosen or folder


def _missing(name: str) -> HarmonizeError:
    return HarmonizeError(
        "weights_missing", f"The weights of the model {name!r} are not installed.", "Install Harmonize again."
    )


def _broken(path: Path) -> HarmonizeError:
    return HarmonizeError(
        "weights_broken", f"{path.name} is not what Harmonize reads as weights.", "Export or install them again."
    )


def better_left(before: float, after: float, leave_above: float) -> bool:
    """Decide by predicted harmony: what already fits, or would not gain, is better left as it is."""
    return before >= leave_above or after <= before


def input_size(height: int, width: int) -> tuple[int, int]:
    """Choose the network's input (height, width): the picture's shape, up to 2:1, at an area of about 128 x 128."""
    ratio = float(np.clip(width / height, 0.5, 2.0)) ** 0.5
    return max(cell, round(side / ratio / cell) * cell), max(cell, round(side * ratio / cell) * cell)
