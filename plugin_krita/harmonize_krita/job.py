# SPDX-License-Identifier: GPL-3.0-or-later
"""A request to the engine in a thread of its own, so that the canvas never waits."""

from . import engine
from .engine_client import Cancellation, EngineError
from .qt import QThread, pyqtSignal
from .refusal import unexpected
from .task import refusal


class Job(QThread):
    """Asks for one task; `ended` comes in Krita's thread with the answer or None and the Refusal."""

    progressed = pyqtSignal(str, float)
    ended = pyqtSignal(object, object)  # Answer | None, Refusal | None

    def __init__(self, task, parent=None):
        super().__init__(parent)
        self.task, self.cancellation = task, Cancellation()

    def run(self):
        """Runs in the thread."""
        try:
            answer = self.task.ask(self.cancellation, self.progressed.emit)
            engine.learn(self.task.engine, self.cancellation)
        except EngineError as error:
            self.ended.emit(None, refusal(error))
        except Exception as error:  # a thread must not die without a word
            self.ended.emit(None, unexpected(error))
        else:
            self.ended.emit(answer, None)

    def cancel(self):
        """End it soon; `ended` comes all the same."""
        self.cancellation.cancel()
