"""The baseline that needs no weights: match means and spreads of colour, expressed as tone curves.

Reinhard et al., 'Color Transfer between Images' (2001): in the decorrelated space l-alpha-beta (logarithmic cone responses,
Ruderman 1998) the foreground's mean and spread are moved onto the background's. What that does to the foreground's own
pixels is then fitted by one curve per channel.
"""

import numpy as np

from harmonize_engine.composite import Composite
from harmonize_engine.curves import Floats
from harmonize_engine.fit import FitConfig, fit_proxy
from harmonize_engine.harmonization import Harmonization

name, version = "statistics", "1"
most_stretch = 2.0  # a flat foreground must not be blown up to a busy background's contrast
rgb_to_lms = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
lms_to_lab = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])
most_pixels = 192  # of the long side: statistics of more pixels are the same
darkest = 1 / 255  # logarithms of black stay finite


def harmonize(composite: Composite) -> Harmonization:
    """Match the foreground's statistics to the reference's; display-encoded in, one `Curves` out."""
    composite = composite.shrunk(most_pixels)
    background, reference = composite.to_match
    values, target = _decorrelate(composite.image), _decorrelate(background)
    mean, spread = _moments(values, composite.mask)
    target_mean, target_spread = _moments(target, reference)
    stretch = np.clip(target_spread / np.maximum(spread, 1e-4), 1 / most_stretch, most_stretch)
    matched = _recorrelate((values - mean) * stretch + target_mean)
    m = composite.mask[..., None]
    wanted = (composite.image * (1 - m) + matched * m).astype(np.float32)
    fitted = fit_proxy(composite, wanted, FitConfig(), light=False)
    return Harmonization(fitted.adjustments, model=name, version=version)


def _decorrelate(encoded: np.ndarray) -> Floats:
    cones = np.maximum(encoded.astype(np.float64), darkest) @ rgb_to_lms.T
    return np.log10(cones) @ lms_to_lab.T


def _recorrelate(values: Floats) -> Floats:
    cones = 10 ** (values @ np.linalg.inv(lms_to_lab).T)
    return np.clip(cones @ np.linalg.inv(rgb_to_lms).T, 0, 1)


def _moments(values: Floats, weight: np.ndarray) -> tuple[Floats, Floats]:
    weight = weight.astype(np.float64)[..., None] / max(weight.sum(dtype=np.float64), 1e-9)
    mean = (values * weight).sum((0, 1))
    return mean, np.sqrt(((values - mean) ** 2 * weight).sum((0, 1)))
