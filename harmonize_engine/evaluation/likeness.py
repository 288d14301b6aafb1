"""How alike the colours of a foreground and of what is around it are, where no truth is known.

Nearer is not always better: a red car on grey asphalt is far from it and fits. What photographs themselves have is the
measure.
"""

import numpy as np

from harmonize_engine.composite import Composite, Singles
from harmonize_engine.curves import Floats
from harmonize_engine.evaluation import colour


def colour_distance(seen: Composite) -> float:
    """The 2-Wasserstein distance between foreground and background as Gaussians in CIELAB: in units of Delta E."""
    values = colour.lab(seen.image).reshape(-1, 3)
    (mean, spread), (other, theirs) = (_gaussian(values, weight.reshape(-1)) for weight in (seen.mask, 1 - seen.mask))
    half = _root(spread)
    both = _root(half @ theirs @ half)
    squared = float(((mean - other) ** 2).sum() + np.trace(spread + theirs - 2 * both))
    return max(squared, 0.0) ** 0.5


def _gaussian(values: Singles, weight: Singles) -> tuple[Floats, Floats]:
    share = weight.astype(np.float64) / max(float(weight.sum(dtype=np.float64)), 1e-9)
    mean = share @ values
    centred = values - mean
    return mean, (centred * share[:, None]).T @ centred


def _root(matrix: Floats) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
