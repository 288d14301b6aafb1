"""What came of one validation composite with one model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One result: what it was made by, how it compares, and the model's opinion."""

    name: str
    set: str
    family: str
    magnitude: float
    row: str
    mse: float
    fmse: float
    psnr: float
    ssim: float
    fmse_before: float
    moved: float  # mean |result - composite| over the foreground, levels
    before: float | None = None  # predicted harmony
    after: float | None = None
