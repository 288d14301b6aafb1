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
from harmonize_engine.curves import Curves, Floats
from harmonize_engine.devices import Device
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.gate import Gate, Opinion
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.render import exact
from harmonize_engine.shading import Shading, from_gain
from harmonize_engine.window import Window, around

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

folder = Path(__file__).parent / "weights"
cell = 16  # sides of a network's input are multiples of it
usual_side = 128  # their mean where a card tells none, as version 1's does not
least_side, largest_side = 64, 1024


@dataclass(frozen=True)
class Card:
    """What is known of a set of weights, from its model card <name>.json."""

    name: str
    version: str
    sha256: str
    gate: Gate
    summary: str
    side: int = usual_side  # of the input, pixels: it has the window's shape at about this area
    window: float = 0.0  # share of the window that a foreground fills, or less; 0 = it looks at the whole picture

    @classmethod
    def read(cls, name: str, folder: Path | None = None) -> "Card":
        """Read a model card, the package's own by default. Raises HarmonizeError `weights_missing` or `weights_broken`."""
        path = _within(folder) / f"{name}.json"
        if not path.is_file():
            raise _missing(name)
        try:
            card: dict[str, Any] = json.loads(path.read_bytes())
            gate, side = Gate.read(card["gate"]), int(card.get("side", usual_side))
            if side % cell or not least_side <= side <= largest_side:
                raise ValueError(f"no side of an input: {side}")
            window = float(card.get("window", 0.0))
            if not 0 <= window <= 1:
                raise ValueError(f"no share of a window: {window}")
            return cls(name, card["version"], card["sha256"], gate, card["summary"], side, window)
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
            return cls(card, *devices.session(content, device, threads, sizes=trial_sizes(card.side)))
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
        return [
            replace(found, confidence=self.card.gate.confidence(opinion))
            for found, opinion in self.opinions_of_all(composites)
        ]

    def opinions_of_all(self, composites: Sequence[Composite]) -> list[tuple[Harmonization, Opinion]]:
        """Predict without advice, and tell what the network thinks of composites and of its results.

        Raises what `harmonize_all` raises.
        """
        views = [self._view(composite) for composite in composites]
        seen = [view.seen for view in views]
        before = self._look(seen)
        found = [self._harmonization(look) for look in before]
        results = [exact(one.image, one.mask, result) for one, result in zip(seen, found, strict=True)]
        rendered = [replace(one, image=image.astype(np.float32)) for one, image in zip(seen, results, strict=True)]
        after = self._look(rendered)
        moved = [_moved(one, image) for one, image in zip(seen, results, strict=True)]
        opinions = [Opinion(old.harmony, new.harmony, far) for old, new, far in zip(before, after, moved, strict=True)]
        return [(view.spread(result), opinion) for view, result, opinion in zip(views, found, opinions, strict=True)]

    def harmony_of_all(self, composites: Sequence[Composite]) -> list[float]:
        """Judge display-encoded composites: what the network says of each, 0..1, as it is and not calibrated.

        Raises what `harmonize_all` raises.
        """
        return [look.harmony for look in self._look([self._view(one).seen for one in composites])]

    def _view(self, composite: Composite) -> "_View":
        """Cut and shrink to what the network looks at; a reference mask is always within it."""
        size = height, width = composite.mask.shape
        window = Window(0, height, 0, width)
        if self.card.window:
            reference = composite.reference
            wanted = composite.mask if reference is None else np.maximum(composite.mask, reference)
            window = around(wanted, self.card.window)
        seen = window.cut(composite).resized(*input_size(window.height, window.width, self.card.side))
        _refuse_not_finite(seen)
        return _View(window, size, seen)

    def _harmonization(self, look: "_Look") -> Harmonization:
        adjustments = (Curves.uniform(look.curves), from_gain(look.gain))
        return Harmonization(adjustments, self.card.name, self.card.version, self.card.sha256)

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
class _View:
    """What of a picture of a size (height, width) the network sees."""

    window: Window
    size: tuple[int, int]
    seen: Composite

    def spread(self, harmonization: Harmonization) -> Harmonization:
        """Make light maps that cover the window cover the picture."""
        spread = (
            self.window.spread(adjustment, *self.size) if isinstance(adjustment, Shading) else adjustment
            for adjustment in harmonization.adjustments
        )
        return replace(harmonization, adjustments=tuple(spread))


@dataclass(frozen=True, eq=False)
class _Look:
    """What the network says of one composite. curves: (3, K) in [0,1]; gain: (h, w); harmony: 0..1."""

    curves: Singles
    gain: Singles
    harmony: float


def _channels_first(images: Sequence[Singles]) -> Singles:
    return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))


def _moved(seen: Composite, result: Floats) -> float:
    """How far a result is from its composite, RMS over the foreground, levels."""
    squared = ((result - seen.image) ** 2).mean(-1)
    return 255 * float(np.sqrt((squared * seen.mask).sum() / max(float(seen.mask.sum()), 1e-6)))


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


def input_size(height: int, width: int, side: int = usual_side) -> tuple[int, int]:
    """Choose a network's input (height, width): the picture's shape, up to 2:1, at an area of about side x side."""
    ratio = float(np.clip(width / height, 0.5, 2.0)) ** 0.5
    return max(cell, round(side / ratio / cell) * cell), max(cell, round(side * ratio / cell) * cell)


def trial_sizes(side: int) -> Sequence[tuple[int, int, int]]:
    """What a device is tried with: count, height and width. Two sizes by turns, as pictures come."""
    return (1, *input_size(1, 1, side)), (2, *input_size(7, 9, side))
