"""The server's answers without a server, for the client of the plug-ins in a Python that has the engine installed."""

import json
import os
import threading
from collections.abc import Callable
from functools import cache
from time import perf_counter, time
from typing import Any

import msgspec
import psutil

import harmonize_engine
from model_server import wire
from model_server.limits import Limits
from model_server.points import points
from model_server.question import Question
from model_server.shelf import Shelf

device = "cpu"  # accelerators are the server's, which pays for their start once
limits = Limits()
began = time()
turn = threading.Lock()  # a shelf belongs to one thread at a time


def answer(method: str, path: str, question: dict[str, Any] | None) -> Any:
    """Give the document that a server would answer with. Raises HarmonizeError where it would refuse."""
    answers: dict[tuple[str, str], Callable[[], msgspec.Struct]] = {
        ("GET", "/v1/health"): health,
        ("GET", "/v1/models"): models,
        ("POST", "/v1/harmonize"): lambda: harmonized(json.dumps(question).encode()),
    }
    return json.loads(wire.encode(answers[method, path]()))


def harmonized(body: bytes) -> wire.HarmonizeAnswer:
    """Look at the proxy in a request's body. Raises HarmonizeError."""
    start = perf_counter()
    asked = Question.of(body, limits)
    waiting = perf_counter()
    with turn:
        looking = perf_counter()
        found = shelf().harmonize_all(asked.model or shelf().default, [asked.composite])[0]
        looked = perf_counter()
    found = found.blend(asked.color_strength, asked.light_strength)
    drawn = points(found, asked.points_for) if asked.points_for else None
    waited_ms, looked_ms, total_ms = (1000 * span for span in (looking - waiting, looked - looking, perf_counter() - start))
    timing = wire.Timing(waited_ms, looked_ms, total_ms, 1)
    name = wire.EngineName(shelf().device.name, harmonize_engine.__version__)
    return wire.HarmonizeAnswer(msgspec.Raw(found.to_json().encode()), drawn, timing, name)


def models() -> wire.Models:
    """List the models."""
    return msgspec.convert({"models": shelf().models()}, wire.Models)


def health() -> wire.Health:
    """Tell how this process is."""
    return wire.Health(
        "ok",
        harmonize_engine.__version__,
        wire.protocols[-1],
        wire.protocols,
        os.getpid(),
        began,
        time() - began,
        msgspec.convert(shelf().device, wire.DeviceState, from_attributes=True),
        [model["name"] for model in shelf().models() if model["loaded"]],
        wire.Memory(psutil.Process().memory_info().rss, limits.model_memory),
        waiting=0,
        idle_exit_s=None,
        follows=[],
        log=None,
        log_problem=None,
    )


@cache
def shelf() -> Shelf:
    """The models of this process."""
    return Shelf(None, device, (), limits.model_memory)
