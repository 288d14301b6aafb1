# SPDX-License-Identifier: GPL-3.0-or-later
"""Harmonizing without a dialog: from a script, from the batch, and again with the last values."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack

from engine_client import Answer, Engine, connect
from foreground import remark, targets
from gi.repository import Gimp
from handover import hand_over
from settings import Settings
from subject import Subject
from verdict import harmonies, left, unknown


def harmonize(image: Gimp.Image, drawables: Sequence[Gimp.Drawable], settings: Settings) -> tuple[float, float]:
    """Harmonize what is selected. Raises Refusal, EngineError."""
    layers = targets(image, drawables)
    if remark(image):
        Gimp.message(remark(image))
    return apply(image, layers, settings, {})


def apply(
    image: Gimp.Image, layers: Sequence[Gimp.Layer], settings: Settings, answers: dict[Gimp.Layer, Answer]
) -> tuple[float, float]:
    """Harmonize layers, each by itself; returns the harmony of the last before and after, -1 where it is not known.

    answers: what the engine has said already of layers that are to be harmonized whatever it said. All is prepared first
    and goes into the picture at the end, so that a failure leaves it as it was. Raises Refusal, EngineError.
    """
    Gimp.progress_init("Harmonize")
    told = unknown
    with ExitStack() as stack:
        subjects = [stack.enter_context(Subject(image, layer, settings)) for layer in layers]
        Gimp.progress_update(0.2)
        asked = [subject for subject in subjects if subject.layer not in answers]
        engine = connect(follow=os.getppid(), progress=_show) if asked else None  # follow GIMP, which started this process
        finished = []
        for subject in subjects:
            Gimp.progress_set_text(f"Looking at '{subject.name}'")
            answer = answers.get(subject.layer) or look(engine, subject, settings)
            told = harmonies(answer)
            if answer.leave and not (settings.always or subject.layer in answers):
                Gimp.message(left(subject.name, answer))
                continue
            finished.append(subject.prepare(answer, settings))
            stack.callback(finished[-1].discard)
            Gimp.progress_update(0.5 + 0.4 * len(finished) / len(subjects))
        Gimp.progress_end()  # with it goes its Cancel, which kills us: not while the picture is changed
        if finished:
            hand_over(image, finished)
    return told


def look(engine: Engine, subject: Subject, settings: Settings) -> Answer:
    """Ask the engine about a layer, with points for GIMP's curves."""
    return engine.harmonize(subject.proxy, model=settings.model or None, points_for="gimp")


def _show(stage: str, fraction: float) -> None:
    Gimp.progress_set_text(stage)
    Gimp.progress_update(0.2 + 0.3 * fraction)
