"""The one result of every model: an ordered list of adjustments, how sure the model is, and where it came from."""

import base64
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from harmonize_engine.curves import Curves
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Shading, step

Adjustment = Curves | Saturation | Shading
format_name = "harmonize/1"
fitting = 0.54  # the harmony from which a foreground fits: 12 levels off


@dataclass(frozen=True)
class Confidence:
    """How well the foreground fits, 0 = not at all, 1 = as if photographed there, before and after; and what to do.

    leave: the composite already fits, or the adjustments are not expected to help; a host offers to leave it as it is.
    """

    before: float
    after: float
    leave: bool


@dataclass(frozen=True)
class Harmonization:
    """What makes a foreground belong, in the order of application; every host shows each adjustment as one native layer.

    model and version name where it came from, weights_sha256 the exact weights, None for models without weights.
    residual: what `fit` could not express, RMS in 8-bit levels over the foreground; None elsewhere.
    """

    adjustments: tuple[Adjustment, ...]
    model: str
    version: str
    weights_sha256: str | None = None
    confidence: Confidence | None = None
    residual: float | None = None

    @property
    def leave(self) -> bool:
        """Whether the model advises to leave the composite as it is."""
        return self.confidence is not None and self.confidence.leave

    @property
    def fits(self) -> bool:
        """Whether the foreground fits as it is; if not, the reason to `leave` it is that no help is expected."""
        return self.confidence is not None and self.confidence.before >= fitting

    @property
    def is_identity(self) -> bool:
        """Whether nothing would change."""
        return all(adjustment.is_identity for adjustment in self.adjustments)

    def blend(self, color_strength: float = 1.0, light_strength: float = 1.0) -> "Harmonization":
        """Weaken colour (curves, saturation) and light (shading), each 0..1; at 0 an adjustment is left out."""
        for name, strength in (("Colour", color_strength), ("Light", light_strength)):
            if not 0 <= strength <= 1:
                raise HarmonizeError("bad_strength", f"{name} strength must lie between 0 and 1, not {strength}.")
        strengths = [light_strength if isinstance(a, Shading) else color_strength for a in self.adjustments]
        kept = (a.blend(s) for a, s in zip(self.adjustments, strengths, strict=True) if s > 0)
        return replace(self, adjustments=tuple(kept))

    def to_json(self, indent: int | None = None) -> str:
        """Write everything as JSON; `schema` describes it. Reading it back gives an equal value."""
        document: dict[str, Any] = {
            "format": format_name,
            "model": self.model,
            "version": self.version,
            "weights_sha256": self.weights_sha256,
            "confidence": None if self.confidence is None else vars(self.confidence),
            "residual": self.residual,
            "adjustments": [_write(adjustment) for adjustment in self.adjustments],
        }
        return json.dumps(document, indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Harmonization":
        """Read what `to_json` wrote. Raises HarmonizeError `bad_parameters` for anything else."""
        try:
            document = json.loads(text)
            if document["format"] != format_name:
                raise HarmonizeError(
                    "bad_parameters",
                    f"These parameters have the format {document['format']!r}, this version reads {format_name!r}.",
                    "Update Harmonize, or make the parameters again.",
                )
            confidence = document.get("confidence")
            return cls(
                adjustments=tuple(_read(item) for item in document["adjustments"]),
                model=str(document["model"]),
                version=str(document["version"]),
                weights_sha256=document.get("weights_sha256"),
                confidence=None if confidence is None else Confidence(**confidence),
                residual=document.get("residual"),
            )
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise HarmonizeError(
                "bad_parameters",
                "This is not a file of Harmonize parameters.",
                "Make one with: harmonize apply ... -o parameters.json",
            ) from error


def schema() -> dict[str, Any]:
    """Read the JSON schema (draft 2020-12) of what `to_json` writes and `from_json` reads."""
    return json.loads(Path(__file__).with_name("harmonization.schema.json").read_bytes())


def _write(adjustment: Adjustment) -> dict[str, Any]:
    match adjustment:
        case Curves():
            return {"kind": "curves", "x": adjustment.x.tolist(), "y": adjustment.y.tolist()}
        case Saturation():
            return {"kind": "saturation", "amount": adjustment.amount, "strength": adjustment.strength}
        case Shading():
            cells = np.round(adjustment.gain / step).astype("<u2")
            height, width = cells.shape
            return {
                "kind": "shading",
                "width": width,
                "height": height,
                "gain": base64.b64encode(cells.tobytes()).decode(),
            }


def _read(item: dict[str, Any]) -> Adjustment:
    kind = item["kind"]
    if kind == "curves":
        return Curves(item["x"], item["y"])
    if kind == "saturation":
        return Saturation(float(item["amount"]), float(item.get("strength", 1.0)))
    if kind == "shading":
        cells = np.frombuffer(base64.b64decode(cast(str, item["gain"]), validate=True), "<u2")
        return Shading(cells.reshape(item["height"], item["width"]) * step)
    raise ValueError(kind)
