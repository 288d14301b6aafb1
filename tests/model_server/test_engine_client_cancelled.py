"""Whoever waits with the client of the plug-ins can be called back at once."""

import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_server import engine_client
from model_server.engine_client import Cancellation, Cancelled, InProcessEngine, connect
from tests.model_server.processes import wait_until
from tests.model_server.scripted import busy, hear, leave_state, nobody, proxy, say, scripted, telling, well

# --- cancelling


def cancelled_soon(waiting: Callable[[Cancellation], Any], started: Callable[[], Any]) -> None:
    """Turn the switch once something has started; whoever waits must hear of it though nothing else happens for long."""
    stop, heard = Cancellation(), []

    def wait() -> None:
        try:
            waiting(stop)
        except Cancelled as error:
            heard.append(error.code)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    wait_until(started)
    assert not stop.cancelled
    stop.cancel()
    thread.join(10)
    assert heard == ["cancelled"] and stop.cancelled


def test_a_question_can_be_cancelled_while_the_server_looks(folder: Path):
    asked: list[str] = []

    def play(caller: socket.socket, lines: Any) -> None:
        while (path := hear(lines)) == "/v1/health":
            say(lines, well)
        asked.append(path)
        asked.append("hung up" if caller.recv(1) == b"" else "?")

    with scripted(play) as port:
        leave_state(folder, port)
        engine = connect("server", nobody)
        cancelled_soon(lambda stop: engine.harmonize(proxy(), cancellation=stop), lambda: asked)
        wait_until(lambda: len(asked) == 2)
        assert asked == ["/v1/harmonize", "hung up"]  # which is how the server hears of it


def test_waiting_in_line_can_be_cancelled(folder: Path):
    heard: list[str] = []
    with scripted(telling({"/v1/harmonize": [busy(30)]}, heard)) as port:
        leave_state(folder, port)
        engine = connect("server", nobody)
        cancelled_soon(lambda stop: engine.harmonize(proxy(), cancellation=stop), lambda: "/v1/harmonize" in heard)


def test_waiting_for_a_start_can_be_cancelled(folder: Path, tmp_path: Path):
    began = tmp_path / "began"
    script = f"import time; open({str(began)!r}, 'w').close(); time.sleep(30)"
    cancelled_soon(lambda stop: connect("auto", [sys.executable, "-c", script], cancellation=stop), began.exists)


def test_what_is_cancelled_before_it_begins_asks_nobody(engine: engine_client.Engine):
    stop = Cancellation()
    stop.cancel()
    for one in (engine, InProcessEngine()):
        with pytest.raises(Cancelled):
            one.harmonize(proxy(), cancellation=stop)
    assert engine.harmonize(proxy(), cancellation=Cancellation()).device == "cpu"
