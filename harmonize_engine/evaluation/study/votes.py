"""Votes in a file of JSON lines: one is added when it is given, none is ever changed."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from harmonize_engine.errors import HarmonizeError

choices = ("left", "right", "same")


@dataclass(frozen=True)
class Vote:
    """Whom a person preferred: of a scene, the method on the left or right, or neither."""

    scene: str
    left: str
    right: str
    choice: str
    voter: str = ""
    at: str = ""  # UTC, ISO 8601


def append(vote: Vote, path: Path) -> None:
    """Add a vote. Raises HarmonizeError `not_written`."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(vote)) + "\n")
    except OSError as error:
        raise HarmonizeError(
            "not_written", f"{path} could not be written: {error.strerror}.", "Try another place."
        ) from error


def read(path: Path) -> list[Vote]:
    """Read all votes; unfinished lines count for nothing."""
    if not path.is_file():
        return []
    found: list[Vote] = []
    for line in path.read_text("utf-8", "replace").splitlines():
        try:
            vote = Vote(**json.loads(line))
        except (ValueError, TypeError):
            continue
        if vote.choice in choices:
            found.append(vote)
    return found
