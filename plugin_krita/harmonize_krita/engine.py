# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine, found or started when it is first needed and kept for the next request; safe from any thread."""

import os
import signal
import threading

from . import engine_client
from .engine_client import Cancelled, EngineError
from .settings import engine_choice

lock = threading.Lock()
found = {}  # choice -> Engine; one at most
known = {"models": [], "log": None}  # what the engine has told of itself


if hasattr(signal, "SIGPIPE") and signal.getsignal(signal.SIGPIPE) == signal.SIG_DFL:
    # Krita's Python leaves this signal on: an engine that closes its connection would take Krita down with it.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def connected(cancellation=None, progress=None):
    """The engine; raises EngineError, Cancelled. Not for Krita's own thread: starting one takes seconds."""
    choice = engine_choice()
    with lock:
        if choice not in found:
            found.clear()
            follow = os.getpid() if can_be_followed() else None
            found[choice] = engine_client.connect(choice, None, follow, cancellation, progress)
        return found[choice]


def learn(cancellation=None):
    """Ask once for the models and the log; what fails is asked again another time."""
    if known["models"]:
        return
    try:
        engine = connected(cancellation)
        known["models"], known["log"] = engine.models(), engine.health().get("log")
    except Cancelled:
        raise
    except EngineError:
        return


def description():
    """The engine that is connected, for people; empty before the first request."""
    return next((engine.description for engine in list(found.values())), "")


def can_be_followed():
    """Whether an engine outside knows this process by the same number: in a sandbox it has another one there."""
    sandboxed = os.path.exists("/.flatpak-info") or "SNAP" in os.environ
    return not sandboxed and os.environ.get("HARMONIZE_FOLLOW") != "no"
