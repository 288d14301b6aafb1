"""What a report tells: the pictures, the adjustments, and the facts about them in words."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harmonize_engine.composite import Pixels
from harmonize_engine.curves import Curves
from harmonize_engine.harmonization import Harmonization, fitting
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Shading


@dataclass(frozen=True, eq=False)
class Report:
    """One harmonized picture, display-encoded.

    before, after: (H, W, 3|4) uint8, uint16 or float32; mask: (H, W); left: the composite was left as it is.
    looking_ms, rendering_ms: how long the model and the renderer took.
    """

    name: str
    before: Pixels
    after: Pixels
    mask: Pixels
    harmonization: Harmonization
    looking_ms: float
    rendering_ms: float
    color_strength: float = 1.0
    light_strength: float = 1.0
    left: bool = False
    icc: bytes | None = None

    @property
    def applied(self) -> Harmonization:
        """The adjustments at the strengths that were asked for."""
        return self.harmonization.blend(self.color_strength, self.light_strength)

    @property
    def curves(self) -> tuple[Curves, ...]:
        """The tone curves, in order."""
        return tuple(a for a in self.applied.adjustments if isinstance(a, Curves))

    @property
    def shading(self) -> Shading | None:
        """The light map, if there is one."""
        return next((a for a in self.applied.adjustments if isinstance(a, Shading)), None)

    @property
    def verdict(self) -> str:
        """What was done, in one plain sentence."""
        if self.left:
            return leaving(self.harmonization)
        kinds = [_kind(adjustment) for adjustment in self.applied.adjustments if not adjustment.is_identity]
        kinds = list(dict.fromkeys(kinds))
        if not kinds:
            return "Nothing was changed."
        return f"The foreground was changed by {' and '.join((*filter(None, [', '.join(kinds[:-1])]), kinds[-1]))}."

    def facts(self) -> list[tuple[str, str]]:
        """Labels and values, in the order of reading."""
        height, width = self.before.shape[:2]
        share = float(np.count_nonzero(self.mask) / self.mask.size)
        depth = {"uint8": "8 bit", "uint16": "16 bit", "float32": "float"}[self.before.dtype.name]
        found = [
            ("Picture", f"{width} x {height} pixels, {depth}"),
            ("Foreground", f"{percent(share)} of the picture"),
        ]
        confidence = self.harmonization.confidence
        if confidence is not None:
            found.append(("Harmony before", f"{confidence.before:.2f}, {word(confidence.before)}"))
            found.append(("Harmony after", f"{confidence.after:.2f}, {word(confidence.after)}"))
        found += [
            (f"Saturation{number}", f"{saturation.amount:+.0%}")
            for number, saturation in _numbered(a for a in self.applied.adjustments if isinstance(a, Saturation))
        ]
        if self.shading is not None:
            found.append(("Light", light(self.shading, self.mask)))
        found.append(("Strength", f"colour {self.color_strength:.0%}, light {self.light_strength:.0%}"))
        if self.harmonization.residual is not None:
            found.append(("Residual", f"{self.harmonization.residual:.2f} levels"))
        found.append(("Model", f"{self.harmonization.model} {self.harmonization.version}"))
        if self.harmonization.weights_sha256:
            found.append(("Weights", f"SHA-256 {self.harmonization.weights_sha256}"))
        found.append(("Time", f"{self.looking_ms:.0f} ms looking, {self.rendering_ms:.0f} ms rendering"))
        return found


def word(harmony: float) -> str:
    """Say what a harmony score in [0,1] means."""
    steps = ((0.3, "does not belong"), (0.45, "looks pasted"), (fitting, "nearly fits"))
    return next((words for limit, words in steps if harmony < limit), "fits")


def leaving(harmonization: Harmonization) -> str:
    """Say why a composite was left as it is."""
    reason = "It already fits" if harmonization.fits else "Harmonizing would probably not help"
    return f"{reason}; left as it is."


def percent(share: float) -> str:
    """Write a share of 1 with as many digits as it needs."""
    return f"{share:.1%}" if share >= 0.0005 else "less than 0.1%"


def light(shading: Shading, mask: Pixels) -> str:
    """Say how far a light map darkens and brightens what the mask marks."""
    gain = shading.upsample(*mask.shape)[mask > 0] if mask.any() else shading.gain
    lowest, highest = float(gain.min()) - 1, float(gain.max()) - 1
    if max(-lowest, highest) < 0.005:
        return "unchanged"
    return f"{lowest:+.0%} to {highest:+.0%}"


def _kind(adjustment: Curves | Saturation | Shading) -> str:
    match adjustment:
        case Curves():
            return "tone curves"
        case Saturation():
            return "saturation"
        case Shading():
            return "a light map"


def _numbered(saturations: Iterable[Saturation]) -> list[tuple[str, Saturation]]:
    found = list(saturations)
    return [(f" {i + 1}" if len(found) > 1 else "", saturation) for i, saturation in enumerate(found)]
