"""Answers to one scene compared with its truth, only where they differ: on large canvases most pixels are the same.

Where no truth is known, and for photographs themselves, a judge network says how well a foreground fits, and the
distance of its colours from those around it is measured.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harmonize_engine.composite import Composite, Pixels, proxy
from harmonize_engine.curves import Floats
from harmonize_engine.evaluation import families
from harmonize_engine.evaluation.entrants import Answer
from harmonize_engine.evaluation.inside import eroded, psnr_inside
from harmonize_engine.evaluation.likeness import colour_distance
from harmonize_engine.evaluation.metrics import Metrics, levels, ssim
from harmonize_engine.evaluation.onnx_file import Lpips
from harmonize_engine.evaluation.outcome import Outcome
from harmonize_engine.evaluation.scene import Scene
from harmonize_engine.network import Network

unknown = Metrics(float("nan"), float("nan"), float("nan"), float("nan"))
window = 7  # pixels, of SSIM


@dataclass(frozen=True)
class _Look:
    """What is said of a picture without a truth: harmony by the judge network, and the distance of colours."""

    harmony: float | None = None
    distance: float | None = None


@dataclass(frozen=True, eq=False)
class Judge:
    """Measures what entrants made of a scene. sha256: the scene's own; critic: a network that scores harmony."""

    scene: Scene
    sha256: str
    lpips: Lpips | None = None
    critic: Network | None = None

    @cached_property
    def inner(self) -> NDArray[np.bool_]:
        """The eroded foreground."""
        return eroded(self.scene.mask)

    @cached_property
    def before(self) -> Metrics:
        """The composite itself."""
        return self._compared(self.scene.composite)

    @cached_property
    def seen_before(self) -> _Look:
        """The composite as the judge network sees it."""
        return self._seen(self.scene.seen)

    def _compared(self, pixels: Pixels) -> Metrics:
        scene = self.scene
        return unknown if scene.truth is None else compare(pixels, scene.truth, scene.mask)

    def _seen(self, seen: Composite) -> _Look:
        if self.scene.truth is not None and self.scene.family != families.untouched:
            return _Look()
        harmony = None if self.critic is None else self.critic.harmony_of_all([seen])[0]
        return _Look(harmony, colour_distance(seen))

    def outcome(self, entrant: str, fingerprint: str, answer: Answer, seconds: float) -> Outcome:
        """Measure one answer."""
        scene = self.scene
        same = answer.pixels is scene.composite
        found = self.before if same else self._compared(answer.pixels)
        seen = self.seen_before if same else self._seen(proxy(answer.pixels, scene.mask))
        truth = scene.truth
        return Outcome(
            group=scene.group,
            name=scene.name,
            entrant=entrant,
            family=scene.family,
            magnitude=scene.magnitude,
            foreground=scene.foreground,
            mse=found.mse,
            fmse=found.fmse,
            psnr=found.psnr,
            ssim=found.ssim,
            psnr_inside=found.psnr if truth is None else psnr_inside(answer.pixels, truth, self.inner),
            lpips=None if self.lpips is None or truth is None else self.lpips.distance(answer.pixels, truth),
            fmse_before=self.before.fmse,
            moved=_moved(answer.pixels, scene),
            harmony_before=answer.before,
            harmony_after=answer.after,
            left=answer.left,
            seconds=seconds,
            scene_sha256=self.sha256,
            fingerprint=fingerprint,
            judged_before=self.seen_before.harmony,
            judged_after=seen.harmony,
            distance_before=self.seen_before.distance,
            distance_after=seen.distance,
        )


def compare(result: Pixels, truth: Pixels, mask: Pixels) -> Metrics:
    """The same as metrics.measure, of 8-bit pictures, for the cost of the part that differs."""
    box = _differing(result, truth)
    if box is None:
        return Metrics(0.0, 0.0, float("inf"), 1.0)
    ours, theirs, weight = levels(result[box]), levels(truth[box]), mask[box].astype(np.float64)[..., None]
    squared = (ours - theirs) ** 2
    mse = float(squared.sum() / truth.size)
    fmse = float((squared * weight).sum() / (3 * mask.sum(dtype=np.float64)))
    # windows that do not touch the box see no difference: their similarity is 1
    windows = np.prod(np.array(ours.shape[:2]) - window + 1) / np.prod(np.array(truth.shape[:2]) - window + 1)
    return Metrics(mse, fmse, float(10 * np.log10(255**2 / mse)), 1 - float(windows) * (1 - ssim(ours, theirs, window)))


def _differing(result: Pixels, truth: Pixels) -> tuple[slice, slice] | None:
    """The rows and columns that hold every difference, and every window of SSIM that sees one."""
    differs = (result != truth).any(-1)
    if not differs.any():
        return None
    return _span(differs.any(1)), _span(differs.any(0))


def _span(marked: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(marked)
    return slice(max(0, int(places[0]) - window + 1), int(places[-1]) + window)


def _moved(result: Pixels, scene: Scene) -> float:
    """Mean absolute change over the foreground, in levels."""
    weight: Floats = scene.mask.astype(np.float64)
    change = np.abs(result.astype(np.int16) - scene.composite.astype(np.int16)).mean(-1)
    return float((change * weight).sum() / weight.sum())
