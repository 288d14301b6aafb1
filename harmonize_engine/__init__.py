"""Harmonize: tone curves and a light map that make a pasted foreground belong to its photograph."""

from harmonize_engine.composite import Composite, proxy
from harmonize_engine.curves import Curves
from harmonize_engine.engine import harmonize, models
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.fit import fit
from harmonize_engine.harmonization import Confidence, Harmonization
from harmonize_engine.render import render
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Shading

__version__ = "0.1.0"
__all__ = [
    "Composite",
    "Confidence",
    "Curves",
    "Harmonization",
    "HarmonizeError",
    "Saturation",
    "Shading",
    "fit",
    "harmonize",
    "models",
    "proxy",
    "render",
]
