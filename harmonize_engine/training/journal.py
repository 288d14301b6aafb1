"""What a run writes down: metrics.jsonl, a line of numbers at a time, and a drawing of it."""

import json
from pathlib import Path
from typing import Any

from harmonize_engine.training import chart


class Journal:
    """The log of one run. A line that validates holds `score`, every line holds `step`."""

    def __init__(self, run: Path, step: int) -> None:
        self.path = run / "metrics.jsonl"
        self.drawing = run / "metrics.svg"
        before = [line for line in self.lines() if line["step"] <= step]
        # what a killed run wrote after its last checkpoint is done again
        self.path.write_text("".join(json.dumps(line) + "\n" for line in before))

    def lines(self) -> list[dict[str, Any]]:
        """Read all lines; one that a kill left half-written counts for nothing."""
        found: list[dict[str, Any]] = []
        for line in self.path.read_text().splitlines() if self.path.exists() else []:
            try:
                found.append(json.loads(line))
            except ValueError:
                break
        return found

    def add(self, **numbers: Any) -> None:
        """Write one line, floats to six digits."""
        short = {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in numbers.items()}
        with self.path.open("a") as log:
            log.write(json.dumps(short) + "\n")

    def draw(self) -> None:
        """Draw the errors of training and validation over the steps."""
        self.drawing.write_text(chart.svg(self.lines()))
