# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine, found or started when it is first needed and kept for the next request; safe from any thread."""

import os
import signal
import threading

from . import engine_client
from .engine_client import Cancelled, EngineError
from .qt import i18n
from .settings import engine_choice

lock = threading.Lock()
found = {}  # choice -> Engine; one at most
known = {"models": [], "log": None}  # what the engine has told of itself


if hasattr(signal, "SIGPIPE") and signal.getsignal(signal.SIGPIPE) == signal.SIG_DFL:
    # Krita's Python leaves this signal on: an engine that closes its connection would take Krita down with it.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def connected(choice, cancellation=None, progress=None):
    """The engine of a choice; raises EngineError, Cancelled. Not for Krita's own thread: starting one takes seconds.

    The choice is read by Krita's thread: other threads are shown old settings.
    """
    with lock:
        if choice not in found:
            found.clear()
            known.update(models=[], log=None)
            follow = os.getpid() if can_be_followed() else None
            try:
                found[choice] = engine_client.connect(choice, None, follow, cancellation, progress)
            except ImportError as error:
                message = i18n("The Harmonize engine is not installed inside Krita.")
                raise EngineError("engine_not_inside", message, i18n("Set Engine to Automatic.")) from error
        return found[choice]


def learn(choice, cancellation=None):
    """Ask once for the models and the log; what fails is asked again another time."""
    if known["models"]:
        return
    try:
        engine = connected(choice, cancellation)
        known["models"], known["log"] = engine.models(), engine.health().get("log")
    except Cancelled:
        raise
    except EngineError:
        return


def description():
    """The engine that is connected, for people; empty before the first request."""
    engine = found.get(engine_choice())
    return engine.description if engine else ""


def can_be_followed():
    """Whether an engine outside knows this process by the same number: in a sandbox it has another one there."""
    return not (os.path.exists("/.flatpak-info") or "SNAP" in os.environ)
