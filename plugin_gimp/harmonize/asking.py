# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the engine while the dialog stays alive: a thread asks, the dialog is told in its own turn."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from engine_client import Answer, Cancellation, Cancelled, Engine, EngineError, Proxy, connect
from gi.repository import GLib
from preview import recoloured


@dataclass(frozen=True)
class Found:
    """An answer, the small picture in its colours, and who answered."""

    answer: Answer
    changed: bytes
    engine: str


class Asking:
    """The question that is being asked. A newer one takes its place, and nothing more is heard of the older."""

    def __init__(self, progress: Callable[[str, float], None]) -> None:
        self.engine: Engine | None = None
        self.models: list[str] = []
        self._progress = progress
        self._stop = Cancellation()

    def ask(
        self, proxy: Proxy, model: str, grey: bool, found: Callable[[Found], None], failed: Callable[..., None]
    ) -> None:
        """Ask, and call `found` or `failed` later; both in the dialog's own turn."""
        self.cancel()
        stop = self._stop = Cancellation()

        def tell(listener: Callable[..., None], *words: object) -> None:
            GLib.idle_add(lambda: None if stop.cancelled else listener(*words))

        def work() -> None:
            try:
                progress = lambda stage, fraction: tell(self._progress, stage, fraction)  # noqa: E731
                self._connect(stop, progress)
                answer = self.engine.harmonize(
                    proxy, model=model or None, points_for="gimp", cancellation=stop, progress=progress
                )
                changed = recoloured(proxy.composite, answer.harmonization["adjustments"], grey)
                tell(found, Found(answer, changed, self.engine.description))
            except Cancelled:
                pass
            except EngineError as error:
                tell(failed, f"{error} (Log: {error.log})" if error.log else str(error), error)
            except Exception as fault:
                tell(failed, f"The engine's answer could not be used: {fault!r}")

        threading.Thread(target=work, daemon=True).start()

    def cancel(self) -> None:
        """Stop waiting, at once."""
        self._stop.cancel()

    def _connect(self, stop: Cancellation, progress: Callable[[str, float], None]) -> None:
        if self.engine is None:
            self.engine = connect(follow=os.getppid(), cancellation=stop, progress=progress)
        if not self.models:
            self.models = [model["name"] for model in self.engine.models()]
