# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a layer once the engine has answered."""

from __future__ import annotations

from engine_client import Answer

unknown = -1.0, -1.0


def harmonies(answer: Answer) -> tuple[float, float]:
    """How well the layer fits before and after, 0..1; -1: the model does not tell."""
    confidence = answer.harmonization.get("confidence")
    return (confidence["before"], confidence["after"]) if confidence else unknown


def verdict(name: str, answer: Answer) -> str:
    """How well the layer fits, and what it would gain: for the dialog, where everything is still open."""
    before, after = harmonies(answer)
    if answer.leave:
        sentence = f"{_why_leave(name, answer)}. You can leave it, or harmonize it anyway."
    elif (before, after) == unknown:
        return "This model does not tell how well it fits: judge by eye."
    else:
        sentence = f"'{name}' will fit the picture {'a little ' if after - before < 0.1 else ''}better."
    return f"{sentence}\nHarmony: {100 * before:.0f} % before, {100 * after:.0f} % after."


def left(name: str, answer: Answer) -> str:
    """That the layer was left as it is, why, and what to do about it."""
    way_out = "To harmonize it anyway, choose Harmonize... for this layer alone; in scripts, set 'always'."
    return f"{_why_leave(name, answer)}, so it was left as it is. {way_out}"


def _why_leave(name: str, answer: Answer) -> str:
    return f"'{name}' already fits the picture" if answer.fits else f"Harmonizing '{name}' would probably not help"
