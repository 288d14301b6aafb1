"""What people are told: sentences while something is done, and the rows of the doctor's table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Tell = Callable[[str, float | None], None]  # a sentence, and how far all of it is, 0..1, where that is known


@dataclass(frozen=True)
class Row:
    """One check: ok, or what to do."""

    what: str
    ok: bool
    found: str
    todo: str = ""


def silent(sentence: str, share: float | None) -> None:
    """Tell nobody."""


def part(tell: Tell, begin: float, end: float) -> Tell:
    """Tell of what is only a part of all that is done."""
    return lambda sentence, share: tell(sentence, None if share is None else begin + (end - begin) * share)
