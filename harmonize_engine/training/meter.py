"""How fast the parts of a step go, and the running means of what it reports."""

import time
from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor

parts = ("loading", "synthesis", "step")


class Meter:
    """Counts images and seconds since the last report."""

    def __init__(self, device: torch.device) -> None:
        self.cuda = device.type == "cuda"
        self.sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}
        self.seconds: dict[str, float] = dict.fromkeys(parts, 0.0)
        self.images = 0

    @contextmanager
    def during(self, part: str) -> Generator[None]:
        """Count the time of what is done inside as one of the parts."""
        started = time.perf_counter()
        yield
        if self.cuda:
            torch.cuda.synchronize()
        self.seconds[part] += time.perf_counter() - started

    def note(self, numbers: dict[str, Tensor], images: int = 0) -> None:
        """Take a batch's numbers in."""
        self.images += images
        for name, value in numbers.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value)
            self.counts[name] = self.counts.get(name, 0) + 1

    def report(self) -> dict[str, float]:
        """Give the means and the images per second of every part, and start anew."""
        found = {name: self.sums[name] / self.counts[name] for name in self.sums}
        found |= {f"{part}_images_per_second": self.images / max(self.seconds[part], 1e-9) for part in parts}
        self.sums, self.counts, self.images = {}, {}, 0
        self.seconds = dict.fromkeys(parts, 0.0)
        return found
