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
from harmonize_engine.caution import Caution, as_it_is, carried
from harmonize_engine.composite import Composite, Singles
from harmonize_engine.curves import Curves
from harmonize_engine.devices import Device
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.gate import Gate, Opinion
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.looks import Look, View, cell, followed, input_size, mean, views
from harmonize_engine.shading import from_gain

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

folder = Path(__file__).parent / "weights"
usual_side = 128  # their mean where a card tells none, as version 1's does not
least_side, largest_side = 64, 1024
most_together = 2  # views: more at once take memory and no less time


@dataclass(frozen=True)
class Card:
    """What is known of a set of weights, from its model card <name>.json."""

    name: str
    version: str
    sha256: str
    gate: Gate
    summary: str
    side: int = usual_side  # of the input, pixels: it has the window's shape at about this area
    window: float = 0.0  # share that a foreground fills of the window that is looked at too, or less; 0 = of none
    caution: Caution = as_it_is
    again: float = 0.0  # how far what is said of the first result corrects that; 0 = it only scores it, 1 = wholly

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
            caution = Caution.read(card.get("caution") or {})
            again = float(card.get("again", 0.0))
            if not 0 <= again <= 1:
                raise ValueError(f"no share of a second correction: {again}")
            return cls(name, card["version"], card["sha256"], gate, card["summary"], side, window, caution, again)
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
        seen = [self._views(composite) for composite in composites]
        first = self._look(seen, mirrored=True)
        results = [
            [view.rendered(self._harmonization(look)) for view in shown] for shown, look in zip(seen, first, strict=True)
        ]
        second = self._look(results, mirrored=False)
        said = [followed(one, other, self.card.again) for one, other in zip(first, second, strict=True)]
        found = [self._cautious(shown, self._harmonization(look)) for shown, look in zip(seen, said, strict=True)]
        return [
            (result, Opinion(before.harmony, after.harmony, _moved(shown, result)))
            for shown, result, before, after in zip(seen, found, first, second, strict=True)
        ]

    def harmony_of_all(self, composites: Sequence[Composite]) -> list[float]:
        """Judge display-encoded composites: what the network says of each, 0..1, as it is and not calibrated.

        Raises what `harmonize_all` raises.
        """
        seen = [self._views(composite) for composite in composites]
        return [look.harmony for look in self._look(seen, mirrored=True)]

    def _harmonization(self, look: Look) -> Harmonization:
        adjustments = (Curves.uniform(look.curves), look.light)
        return Harmonization(adjustments, self.card.name, self.card.version, self.card.sha256)

    def _views(self, composite: Composite) -> list[View]:
        return views(composite.in_floats(), self.card.side, self.card.window)

    def _cautious(self, shown: Sequence[View], harmonization: Harmonization) -> Harmonization:
        """Carry a correction as far as is wise for how far it moves the foreground."""
        if self.card.caution == as_it_is:
            return harmonization
        return carried(harmonization, self.card.caution.strength(_moved(shown, harmonization)))

    def _look(self, seen: Sequence[Sequence[View]], mirrored: bool) -> list[Look]:
        """Look at the views of every composite, those of one input size together."""
        sizes: dict[tuple[int, ...], list[View]] = {}
        for view in (view for shown in seen for view in shown):
            _refuse_not_finite(view.seen)
            sizes.setdefault(view.seen.mask.shape, []).append(view)
        said = {
            id(view): look for alike in sizes.values() for view, look in zip(alike, self._run(alike, mirrored), strict=True)
        }
        return [mean([said[id(view)] for view in shown]) for shown in seen]

    def _run(self, shown: Sequence[View], mirrored: bool) -> list[Look]:
        """Look at views of one input size, a few at a time."""
        parts = (shown[first : first + most_together] for first in range(0, len(shown), most_together))
        return [look for part in parts for look in self._run_together(part, mirrored)]

    def _run_together(self, shown: Sequence[View], mirrored: bool) -> list[Look]:
        """Look at views, and at their mirror images: the means of both answers are nearer to the truth."""
        seen = [view.seen for view in shown]
        matched = [one.to_match for one in seen]
        feed = {
            "composite": _stacked([one.image for one in seen], mirrored),
            "mask": _stacked([one.mask[..., None] for one in seen], mirrored),
            "background": _stacked([plate for plate, _ in matched], mirrored),
            "reference": _stacked([weight[..., None] for _, weight in matched], mirrored),
        }
        try:
            curves, gain, harmony = (np.asarray(output, np.float64) for output in self.session.run(None, feed))
        except Exception as error:  # ONNX Runtime has a dozen exceptions of its own; drivers fail at any time
            raise HarmonizeError(
                "device_failed",
                f"The model {self.card.name!r} could not be run on the device {self.device.name}.",
                "Close other programs that need its memory, or choose the device cpu.",
            ) from error
        if mirrored:
            straight, other = slice(len(seen)), slice(len(seen), None)
            curves, harmony = (curves[straight] + curves[other]) / 2, (harmony[straight] + harmony[other]) / 2
            gain = np.sqrt(gain[straight] * gain[other][..., ::-1])
        return [
            Look(curves[n], view.window.spread(from_gain(gain[n, 0]), *view.size), float(harmony[n, 0]))
            for n, view in enumerate(shown)
        ]


def _stacked(planes: Sequence[Singles], mirrored: bool) -> Singles:
    """Stack planes (H, W, C), then their mirror images where wanted, to (n or 2 n, C, H, W)."""
    straight = np.stack(planes).transpose(0, 3, 1, 2)
    return np.concatenate((straight, straight[..., ::-1])) if mirrored else straight


def _moved(shown: Sequence[View], harmonization: Harmonization) -> float:
    """How far a harmonization moves the foreground, RMS, levels, in the view that shows it largest."""
    return shown[-1].moved(shown[-1].rendered(harmonization))


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


def trial_sizes(side: int) -> Sequence[tuple[int, int, int]]:
    """What a device is tried with: count, height and width. Two sizes by turns, as pictures come."""
    return (1, *input_size(1, 1, side)), (2, *input_size(7, 9, side))
