"""Two entrants on the same scenes, picture by picture: far sharper than two means with an interval each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harmonize_engine.evaluation.outcome import Outcome

resamples, seed = 400, 2026


@dataclass(frozen=True)
class Duel:
    """How much nearer to the truth one is than another.

    lead: mean difference of their RMS errors in 8-bit levels, with its 95 % interval by bootstrap over scenes; won: share
    of scenes where it is nearer, those where both are equal count half.
    """

    count: int
    lead: float
    interval: tuple[float, float]
    won: float

    @property
    def decided(self) -> bool:
        """Whether the interval leaves no doubt who is nearer."""
        return self.interval[0] > 0 or self.interval[1] < 0

    @classmethod
    def of(cls, one: Sequence[Outcome], other: Sequence[Outcome]) -> "Duel | None":
        """Compare outcomes of the same scenes; None where they share none."""
        theirs = {(o.group, o.name): np.sqrt(o.fmse) for o in other}
        pairs = [(np.sqrt(o.fmse), theirs[o.group, o.name]) for o in one if (o.group, o.name) in theirs]
        if not pairs:
            return None
        ours, against = np.array(pairs).T
        lead = against - ours
        rows = np.random.default_rng(seed).integers(len(lead), size=(resamples, len(lead)))
        low, high = np.percentile(lead[rows].mean(1), (2.5, 97.5))
        won = float((lead > 0).mean() + (lead == 0).mean() / 2)
        return cls(len(lead), float(lead.mean()), (float(low), float(high)), won)
