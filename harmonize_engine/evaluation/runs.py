"""Trainings as their folders tell of them: how large, on how many photographs, and how the error fell."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harmonize_engine.errors import HarmonizeError

log_name, facts_name = "metrics.jsonl", "run.json"
sizes, texts = ("parameters", "photographs"), ("name", "recipe")


@dataclass(frozen=True)
class Run:
    """One training. parameters and photographs: None where nobody says; points: images seen and error, as validated.

    recipe: whatever else tells runs apart that must not be compared, such as "supervised".
    """

    name: str
    parameters: int | None
    photographs: int | None
    points: tuple[tuple[float, float], ...]
    recipe: str = ""

    @property
    def images(self) -> float:
        """How many it saw in all."""
        return self.points[-1][0]

    @property
    def best(self) -> float:
        """The least error that it came to: what `best.pt` holds."""
        return min(error for _, error in self.points)

    def by(self, images: float) -> float:
        """The least error by the time that it had seen so many; the first validation's where that came later."""
        return min((error for seen, error in self.points if seen <= images * 1.001), default=self.points[0][1])


def read(written: str, measure: str) -> Run:
    """Read a run written as FOLDER or FOLDER,parameters=N,photographs=N,recipe=TEXT,name=TEXT; measure: one of the log's.

    What is not written is taken from FOLDER/run.json. Raises HarmonizeError `run_missing` or `usage`.
    """
    place, *given = written.split(",")
    folder = Path(place)
    facts = _facts(folder / facts_name)
    for each in given:
        name, _, value = each.partition("=")
        if name not in (*sizes, *texts):
            raise HarmonizeError("usage", f"{each!r} says nothing of a run.", f"There is: {', '.join((*sizes, *texts))}.")
        facts[name] = value
    points = _points(folder / log_name, measure)
    if not points:
        raise HarmonizeError(
            "run_missing", f"{folder / log_name} has no validation of {measure!r}.", "Name a run's folder."
        )
    try:
        parameters, photographs = (None if facts.get(size) is None else int(float(facts[size])) for size in sizes)
    except ValueError as error:
        raise HarmonizeError("usage", f"{written!r} tells no number.", "Write parameters=1600000.") from error
    return Run(str(facts.get("name") or folder.name), parameters, photographs, points, str(facts.get("recipe", "")))


def _facts(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def _points(path: Path, measure: str) -> tuple[tuple[float, float], ...]:
    """Lines of validation; one that a kill left half-written counts for nothing."""
    found: list[tuple[float, float]] = []
    for text in path.read_text().splitlines() if path.is_file() else []:
        try:
            line = json.loads(text)
            if "images" in line and measure in line:
                found.append((float(line["images"]), float(line[measure])))
        except (ValueError, TypeError):
            continue
    return tuple(found)
