"""The networks that can be trained and exported, by the type of their sizes."""

from dataclasses import asdict
from typing import Any

from harmonize_engine.models.parametric import Parametric, ParametricConfig
from harmonize_engine.models.pih import Pih, PihConfig

Sizes = ParametricConfig | PihConfig
Network = Parametric | Pih
names: dict[str, type[Sizes]] = {"parametric": ParametricConfig, "pih": PihConfig}


def build(sizes: Sizes) -> Network:
    """Make a network with fresh weights."""
    return Pih(sizes) if isinstance(sizes, PihConfig) else Parametric(sizes)


def describe(sizes: Sizes) -> dict[str, Any]:
    """Write an architecture's name and sizes down for a checkpoint."""
    return {"architecture": "pih" if isinstance(sizes, PihConfig) else "parametric", "sizes": asdict(sizes)}


def read(state: dict[str, Any]) -> Sizes:
    """Read the sizes that `describe` wrote; checkpoints of version 1 name no architecture."""
    return names[state.get("architecture", "parametric")](**state["sizes"])
