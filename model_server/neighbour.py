"""The server that runs already: asking it, having it go, and ending it when it answers nobody."""

import http.client
import json
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

import harmonize_engine
from harmonize_engine.errors import HarmonizeError
from model_server import state as states
from model_server.followers import alive
from model_server.lock import Lock
from model_server.state import State

patience = 5.0  # seconds in which a server that lives says that it does
one_answer = 2.0  # seconds of it for one question
longest_change = 60.0  # seconds for another server to start, or to stop: a first start on a GPU takes long
pause = 0.05  # seconds between two looks

Told = dict[str, Any]
_not_answered = (OSError, http.client.HTTPException, ValueError)


def settle(lock: Lock, suits: Callable[[Told], bool]) -> State | None:
    """Take the lock, or find the server that holds it if its health suits; one that does not, or hangs, is made to go.

    Raises HarmonizeError `server_hung`, `server_changing` or what reading its state raises.
    """
    until = time.monotonic() + longest_change
    while not lock.take():
        there = states.read()  # None while it starts, and while it stops
        told = None if there is None else answers(there)
        if there is not None and told is not None:
            if told.get("status") == "ok" and suits(told):
                return there
            _have_go(there, lock)
        elif there is not None and states.read() == there:
            _end(there, lock)
        if time.monotonic() > until:
            raise HarmonizeError(
                "server_changing", "Another Harmonize server has been starting or stopping for a minute.", "Try again."
            )
        time.sleep(pause)
    return None


def stop(lock: Lock) -> bool:
    """Have the server that runs go, and wait until it is gone; tell whether there was one. Raises what `settle` raises."""
    ran = not lock.take()
    try:
        settle(lock, lambda told: False)
        states.clear()
    finally:
        lock.release()
    return ran


def answers(state: State) -> Told | None:
    """Ask a server how it is, for as long as its state stays and patience lasts; None: it is gone, or hangs."""
    until = time.monotonic() + patience
    while (told := _health(state)) is None and time.monotonic() < until and states.read() == state:
        time.sleep(pause)
    return told


def follow(state: State, pid: int) -> None:
    """Ask a server to leave with a process; one that does not hear it still has its idle time."""
    with suppress(*_not_answered):
        _ask(state, "POST", "/v1/follow", {"pid": pid})


def older(version: str) -> bool:
    """Tell whether a version comes before ours."""

    def numbers(of: str) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", of)[:3]]

    return numbers(version) < numbers(harmonize_engine.__version__)


def _end(state: State, lock: Lock) -> None:
    """Kill a server that answers nobody. Raises HarmonizeError `server_hung` if it is not certain which process it is."""
    process = _process(state, lock.path)
    if process is None:
        if lock.take():  # it has gone by itself
            return
        raise HarmonizeError(
            "server_hung",
            "Another Harmonize server runs but does not answer.",
            f"End the process that uses {lock.path}, or log out and in again.",
        )
    with suppress(psutil.Error):
        process.kill()  # psutil looks once more that this is the process found above
    _wait_gone(process, patience)


def _have_go(state: State, lock: Lock) -> None:
    """Ask a server to finish what it does and go; end it if its state shows that it does not even begin to."""
    process = _process(state, lock.path)
    with suppress(*_not_answered):
        _ask(state, "POST", "/v1/stop")
    until = time.monotonic() + patience
    while states.read() == state and process is not None and alive(process):
        if time.monotonic() > until:
            _end(state, lock)
        time.sleep(pause)
    if process is not None:
        _wait_gone(process, longest_change)


def _process(state: State, lock: Path) -> psutil.Process | None:
    """Find the process of a server, None if it is not certainly that.

    A number is no proof: the system gives it to another program once its first owner is gone. So the process must have
    the lock file open, as the server has for all of its life and no other program; on Windows, where open files are not
    told, it must have begun at the very moment that the server has noted.
    """
    with suppress(psutil.Error, OSError):
        process = psutil.Process(state.pid)
        if state.pid == os.getpid():
            return None
        if os.name == "nt":
            return process if abs(process.create_time() - state.started) < 0.01 else None
        return process if any(os.path.realpath(lock) == file.path for file in process.open_files()) else None
    return None


def _wait_gone(process: psutil.Process, seconds: float) -> None:
    until = time.monotonic() + seconds
    while alive(process) and time.monotonic() < until:
        time.sleep(pause)


def _health(state: State) -> Told | None:
    with suppress(*_not_answered):
        told = _ask(state, "GET", "/v1/health")
        return told if told.get("pid") == state.pid else None
    return None


def _ask(state: State, method: str, path: str, content: Told | None = None) -> Told:
    connection = http.client.HTTPConnection(state.host, state.port, timeout=one_answer)
    try:
        headers = {"Authorization": f"Bearer {state.token}", "Content-Type": "application/json"}
        connection.request(method, path, None if content is None else json.dumps(content), headers)
        answer = connection.getresponse()
        told = json.loads(answer.read(1 << 20))
    finally:
        connection.close()
    if answer.status >= 400 or not isinstance(told, dict):
        raise ValueError(f"{method} {path} was answered with {answer.status}")
    return told
