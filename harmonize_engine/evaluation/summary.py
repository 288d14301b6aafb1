"""The numbers of one entrant on one set of scenes: means over pictures, never over pixels or subsets."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from harmonize_engine.evaluation.outcome import Outcome

resamples, seed = 400, 2026
sizes = {"below 5 %": (0.0, 0.05), "5 to 15 %": (0.05, 0.15), "15 % and more": (0.15, 1.01)}  # foreground's share


@dataclass(frozen=True)
class Summary:
    """Means over pictures, in 8-bit levels; NaN where there is nothing to average.

    ratio: mean fMSE over the composites' mean fMSE, with its 95 % interval by bootstrap over pictures.
    """

    count: int
    mse: float
    fmse: float
    ratio: float
    interval: tuple[float, float]
    psnr: float
    ssim: float
    psnr_inside: float
    lpips: float
    worse: float
    p95: float
    moved: float
    left: float

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "Summary":
        """Summarise one entrant's outcomes."""
        after = np.array([o.fmse for o in outcomes])
        before = np.array([o.fmse_before for o in outcomes])
        return cls(
            count=len(outcomes),
            mse=_mean(o.mse for o in outcomes),
            fmse=_mean(after),
            ratio=_ratio(after, before),
            interval=_interval(after, before),
            # what was not changed has an infinite PSNR: it is left out of that mean
            psnr=_mean(o.psnr for o in outcomes if o.fmse_before > 0 and np.isfinite(o.psnr)),
            ssim=_mean(o.ssim for o in outcomes),
            psnr_inside=_mean(o.psnr_inside for o in outcomes if o.fmse_before > 0 and np.isfinite(o.psnr_inside)),
            lpips=_mean(o.lpips for o in outcomes if o.lpips is not None),
            worse=_mean(o.worse for o in outcomes),
            p95=float(np.percentile(after, 95)) if len(after) else float("nan"),
            moved=_mean(o.moved for o in outcomes),
            left=_mean(o.left for o in outcomes),
        )


def by_entrant(outcomes: Iterable[Outcome], where: Callable[[Outcome], bool] = lambda _: True) -> dict[str, Summary]:
    """Summarise every entrant over the outcomes that fit, in order of appearance."""
    parts: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if where(outcome):
            parts.setdefault(outcome.entrant, []).append(outcome)
    return {entrant: Summary.of(part) for entrant, part in parts.items()}


def _mean(values: Iterable[float]) -> float:
    found = np.fromiter(values, float)
    return float(found.mean()) if found.size else float("nan")


def _ratio(after: np.ndarray, before: np.ndarray) -> float:
    total = float(before.sum())
    return float(after.sum()) / total if total > 0 else float("nan")


def _interval(after: np.ndarray, before: np.ndarray) -> tuple[float, float]:
    if len(after) < 2 or before.sum() <= 0:
        return float("nan"), float("nan")
    rows = np.random.default_rng(seed).integers(len(after), size=(resamples, len(after)))
    totals = before[rows].sum(1)
    ratios = after[rows].sum(1)[totals > 0] / totals[totals > 0]
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(low), float(high)
