"""Connections: how many may be open, how slowly one may speak or listen, and the uvicorn server made of them."""

import asyncio
import math
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from operator import attrgetter
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from harmonize_engine.errors import HarmonizeError
from model_server.limits import Limits
from model_server.wire import refusal

head_bytes = 16 << 10  # of a request's head; what one read brings beyond it may come in addition
first_bytes = 2 << 10  # of a request, and of whatever is not known to be a body in large parts, taken at a time
read_bytes = 16 << 10  # of such a body, taken before others have their turn
keep_alive_seconds = 5  # for the next request on a connection

bad_http = HarmonizeError(
    "bad_http",
    "What came is not a request of HTTP/1.1 that this server reads.",
    "Send plain HTTP, not HTTPS, with a head of at most 16 KB, and the body in one piece.",
)


class Configuration(Config):
    """uvicorn's settings for the server: nothing of the environment, no logs, headers or protocols beyond ours."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        super().__init__(
            app,
            interface="asgi3",
            loop="asyncio",
            http=Connection,
            ws="none",
            lifespan="off",
            workers=1,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=head_bytes,
            timeout_keep_alive=keep_alive_seconds,
            timeout_graceful_shutdown=math.ceil(limits.drain_seconds),
        )
        self.limits = limits


class Connection(H11Protocol, asyncio.BufferedProtocol):
    """uvicorn's connection with limits of its own: when too many are open, who has been silent longest is hung up on; so is
    who is too slow with a request's head, from the connection or the head's first byte, or too slow to take an answer.

    It is read in small pieces, and a body in crumbs is refused: to parse 256 KB of chunks of one byte each, which one
    read of uvicorn's would bring, takes half a second in which nobody else is served.
    """

    def __init__(
        self,
        config: Configuration,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits = config.limits
        self.since: float = self.loop.time()
        self.room = memoryview(bytearray(read_bytes))
        self.smooth = False  # in the middle of a body that is not in crumbs
        self.head_clock: asyncio.TimerHandle | None = None
        self.answer_clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock of the first head, and see to it that not too many are connected."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        # asyncio does so itself, but not where the listening socket was made without naming TCP: the second part of each
        # answer would wait 40 ms for the client to acknowledge the first
        with suppress(OSError):  # who is gone again needs no haste
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.connections) > self.limits.connections:
            silent = [other for other in self.connections if isinstance(other, Connection) and other.silent]
            min(silent, key=attrgetter("since")).transport.abort()  # so a flood of silence keeps nobody out
        self._time_head()

    @property
    def silent(self) -> bool:
        """Whether no request is being made on it, as on one that has just been opened."""
        return self.conn.their_state is h11.IDLE and not self.transport.is_closing()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Tell where to read to, and with that how much."""
        return self.room if self.smooth else self.room[:first_bytes]

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        self.data_received(bytes(self.room[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Read on. uvicorn stops its keep-alive clock at the first byte of a head; from there on ours runs."""
        in_body = self.conn.their_state is h11.SEND_BODY
        known = len(self.cycle.body) if in_body else 0
        super().data_received(data)
        in_body = in_body and self.conn.their_state is h11.SEND_BODY
        self.smooth = in_body and len(self.cycle.body) - known >= len(data) * 7 // 8
        if in_body and not self.smooth and len(data) >= first_bytes:  # chunks of less than 40 bytes
            self.send_400_response("")
        self._time_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        super().connection_lost(exc)
        self._time_head()
        self._time_answer(False)

    def pause_writing(self) -> None:
        """Start the clock of a client that has more of its answer waiting than it takes."""
        super().pause_writing()
        self._time_answer(True)

    def resume_writing(self) -> None:
        """Stop the clock: the client takes its answer."""
        super().resume_writing()
        self._time_answer(False)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP in the form of our errors; a request it was the body of hears of a disconnect."""
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = refusal(bad_http)
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            for event in (
                h11.Response(status_code=400, reason=b"Bad Request", headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _time_head(self) -> None:
        """Let the head's clock run while a head is awaited; a clock that runs is not set back by more bytes."""
        awaited = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        if awaited and self.head_clock is None:
            self.head_clock = self.loop.call_later(self.limits.head_seconds, self.transport.close)
        elif not awaited and self.head_clock is not None:
            self.head_clock.cancel()
            self.head_clock = None

    def _time_answer(self, waits: bool) -> None:
        if self.answer_clock is not None:
            self.answer_clock.cancel()
        self.answer_clock = self.loop.call_later(self.limits.picture_seconds, self.transport.abort) if waits else None


class Server(uvicorn.Server):
    """uvicorn's server, without its way with signals: it would end the process by the signal after serving."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to the program that serves."""
        yield


def configured(app: ASGIApp, limits: Limits | None = None) -> Server:
    """Make the server for an app. `await server.serve(sockets=[...])` runs until `server.should_exit` is set to True;
    then running requests have limits.drain_seconds to end. Signals are the caller's business.
    """
    return Server(Configuration(app, limits or Limits()))
