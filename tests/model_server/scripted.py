"""Servers that play a script on a real loopback socket, for what no honest server does, and the states they leave."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import harmonize_engine
from model_server.engine_client import Proxy
from tests.model_server.proxies import scene

well = {"status": "ok", "protocol": "v1", "device": {"name": "cpu"}}
nobody = ["no-such-program"]  # to start

Play = Callable[[socket.socket, Any], None]


@contextmanager
def scripted(play: Play) -> Iterator[int]:
    """Listen and play a script, a function of the socket and its file, on every connection; gives the port."""
    callers: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def perform(caller: socket.socket) -> None:
        with suppress(OSError, ValueError), caller, caller.makefile("rwb") as lines:  # until the client hangs up
            play(caller, lines)

    def admit() -> None:
        with suppress(OSError):
            while True:
                callers.append(listener.accept()[0])
                threads.append(threading.Thread(target=perform, args=callers[-1:]))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        admitting = threading.Thread(target=admit)
        admitting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            for end in (listener, *callers):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            for thread in (admitting, *threads):
                thread.join()


def hear(lines: Any) -> str:
    """Read one request whole; gives its path, or "" at the end of the connection."""
    first, length = lines.readline().decode(), 0
    while (line := lines.readline()).strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    lines.read(length)
    return first.split(" ")[1] if first else ""


def say(lines: Any, document: Any, status: int = 200, headers: str = "") -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    lines.write(f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    lines.flush()


def telling(answers: dict[str, list[tuple[Any, ...]]], heard: list[str]) -> Play:
    """A script that answers each path with its next answer, health with `well`, and notes what was asked."""

    def play(caller: socket.socket, lines: Any) -> None:
        while path := hear(lines):
            heard.append(path)
            say(lines, *(answers[path].pop(0) if path in answers else (well,)))

    return play


def busy(seconds: int) -> tuple[Any, ...]:
    """What a busy server says."""
    return {"code": "busy", "message": "Busy.", "hint": ""}, 429, f"Retry-After: {seconds}\r\n"


def leave_state(folder: Path, port: int, token: str = "t", version: str = harmonize_engine.__version__) -> Path:
    """Write a state file by hand."""
    path = folder / "server.json"
    where = {"host": "127.0.0.1", "port": port, "token": token}
    path.touch(mode=0o600)
    path.write_text(json.dumps(where | {"pid": 1, "version": version, "started": 0.0, "log": "the.log"}))
    return path


def proxy(seed: int = 0, **others: bytes) -> Proxy:
    """A scene as plug-ins send it."""
    image, mask = scene(seed)
    return Proxy(image.shape[1], image.shape[0], image.tobytes(), mask.tobytes(), **others)
