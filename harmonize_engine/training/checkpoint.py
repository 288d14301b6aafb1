"""Checkpoints: all that a run needs to go on as if it had never stopped, written so that a kill leaves no half of one."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from harmonize_engine.errors import HarmonizeError

if TYPE_CHECKING:
    from harmonize_engine.training.config import TrainingConfig


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    seconds: float = 0.0  # of training, on all its machines' clocks
    best: float = math.inf  # validation score

    def share(self, config: "TrainingConfig") -> float:
        """How much of the run is done, 0..1."""
        return min(1.0, max(self.step / config.steps, self.seconds / 60 / config.minutes))


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint in the place of an older one."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint into memory; no code in it is run. Raises HarmonizeError `checkpoint_unreadable`."""
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        return state
    except Exception as error:  # torch, zipfile and pickle each have their own
        message = f"{path} is not a checkpoint that can be read."
        raise HarmonizeError("checkpoint_unreadable", message, "Remove it, or name another run.") from error
