"""A server on a real loopback socket in a thread, and callers that do what no honest client does."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from starlette.types import ASGIApp

from model_server.connections import Server, configured
from model_server.limits import Limits

patience = 20.0  # seconds until what does not come has failed; no test waits that long


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def code(self) -> str:
        """Of an error in our form; an answer in any other form fails the test."""
        assert self.headers["content-type"] == "application/json"
        told = json.loads(self.body)
        assert {"code", "message", "hint"} <= set(told) <= {"code", "message", "hint", "log"}
        assert all(told.values())
        return told["code"]


def request(
    port: int, method: str = "GET", path: str = "/", body: bytes = b"", version: str = "1.1", **headers: str | None
) -> bytes:
    """A request as bytes. A header is named with _ for -, and left out when it is None."""
    told: dict[str, str | None] = {"Host": f"127.0.0.1:{port}"}
    told |= {"Content-Length": str(len(body))} if body else {}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in told.items() if value is not None]
    return "\r\n".join([f"{method} {path} HTTP/{version}", *lines, "", ""]).encode("latin-1") + body


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


@contextlib.contextmanager
def call(port: int, raw: bytes = b"", host: str = "127.0.0.1") -> Generator[socket.socket, None, None]:
    """A connection on which something was said."""
    with socket.create_connection((host, port), timeout=patience) as caller:
        caller.sendall(raw)
        yield caller


def answer(caller: socket.socket, method: str = "GET") -> Answer | None:
    """The next answer on a connection, None when it is closed without one."""
    response = http.client.HTTPResponse(caller, method=method)
    try:
        response.begin()
        return Answer(response.status, response.headers, response.read())
    except (http.client.BadStatusLine, ConnectionError):
        return None
    finally:
        response.close()


def ask(port: int, raw: bytes, method: str = "GET", host: str = "127.0.0.1") -> Answer:
    """Say something and hear the answer."""
    with call(port, raw, host) as caller:
        heard = answer(caller, method)
    assert heard is not None
    return heard


def closed(caller: socket.socket) -> bool:
    """Wait until the server has closed a connection, whatever it says before."""
    try:
        while caller.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def eventually(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + patience
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Serving:
    """A server that runs. complaints: what went wrong behind everybody's back."""

    def __init__(self, server: Server, listener: socket.socket) -> None:
        self.server = server
        self.listener = listener
        self.port: int = listener.getsockname()[1]
        self.complaints: list[dict[str, Any]] = []
        self.leftovers: set[asyncio.Task[Any]] = set()

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    @property
    def requests(self) -> int:
        """How many are being answered."""
        return len(self.server.server_state.tasks)

    @property
    def answered(self) -> int:
        return self.server.server_state.total_requests

    @property
    def idle(self) -> bool:
        return not self.connections and not self.requests

    async def run(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.complaints.append(context))
        await self.server.serve(sockets=[self.listener])
        left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        if left:  # what uvicorn has cancelled may still say so
            _, self.leftovers = await asyncio.wait(left, timeout=1)


@contextlib.contextmanager
def serving(app: ASGIApp, limits: Limits | None = None, host: str = "127.0.0.1") -> Generator[Serving, None, None]:
    """Serve an app; at the end nothing may be left over and nothing may have gone wrong unheard."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    running = Serving(configured(app, limits), socket.create_server((host, 0), family=family))
    thread = threading.Thread(target=lambda: asyncio.run(running.run()))
    thread.start()
    try:
        assert eventually(lambda: running.server.started)
        yield running
        assert eventually(lambda: running.idle)
    finally:
        running.server.should_exit = True
        thread.join(patience)
    assert not thread.is_alive()
    assert not running.complaints
    assert not running.leftovers
