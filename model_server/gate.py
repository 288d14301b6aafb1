"""The gate: which requests may reach the app, and how large and how slow their bodies may be."""

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Sequence

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harmonize_engine.errors import HarmonizeError
from model_server.limits import Limits
from model_server.wire import refusal, status

small_body = 64 << 10  # bytes, for paths that take next to nothing
loopback = ("localhost", "127.0.0.1", "[::1]")
log = logging.getLogger(__name__)


class Gate:
    """ASGI middleware around the whole app; what it refuses never reaches the app, and is answered in our error form.

    app: the app; token: what `Authorization: Bearer` must bring; hosts: names besides loopback's and the socket's own
    address under which the server may be called; log_path: told in errors, but only to those who know the token.
    """

    def __init__(
        self, app: ASGIApp, token: str, hosts: Sequence[str] = (), limits: Limits | None = None, log_path: str | None = None
    ) -> None:
        if not token:
            raise ValueError("A server without a token would be open to everybody.")
        self._app = app
        self._token = token.encode()
        self._hosts = (*loopback, *(host.lower() for host in hosts))
        self._limits = limits or Limits()
        self._log_path = log_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            exchange = Exchange(scope, receive, send, self._limits)
            await self._pass(scope, exchange)
            await exchange.finish()

    async def _pass(self, scope: Scope, exchange: "Exchange") -> None:
        log_path = None
        try:
            self._check_caller(scope)
            log_path = self._log_path
            exchange.check_body()
            await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            pass  # nobody is there to hear anything
        except HarmonizeError as error:
            await exchange.refuse(error, log_path)
        except asyncio.CancelledError:
            hint = "Send it again to the server that comes next."
            await exchange.refuse(HarmonizeError("stopping", "The server stopped at this request.", hint), log_path)
            raise
        except Exception:
            log.exception("A request failed.")
            hint = "Send it again; if it fails again, report it with the log file."
            await exchange.refuse(HarmonizeError("internal", "The server failed at this request.", hint), log_path)

    def _check_caller(self, scope: Scope) -> None:
        """Refuse who may not speak: pages of a rebound name, pages at all, odd requests, strangers; in this order."""
        if not self._is_called_by_its_name(scope):
            hint = "Call it by the address and port of its state file."
            raise HarmonizeError("host_refused", "The server does not go by the name in the Host header.", hint)
        if _values(scope, b"origin"):
            raise HarmonizeError("origin_refused", "Web pages may not use this server.", "Send no Origin header.")
        if not _is_plain(scope):
            hint = "Send a path, no Upgrade, and one of Content-Length and Transfer-Encoding."
            raise HarmonizeError("bad_http", "The server takes plain HTTP/1.1 requests only.", hint)
        given = _values(scope, b"authorization")
        scheme, _, token = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
        if not hmac.compare_digest(token, self._token) or scheme.lower() != b"bearer":
            hint = "Read the state file again: each start of the server makes a new token."
            raise HarmonizeError("token_wrong", "The token is missing or is not this server's.", hint)

    def _is_called_by_its_name(self, scope: Scope) -> bool:
        """DNS rebinding makes a page's own name mean this address, so the name must be one of ours, to the letter."""
        address, port = scope["server"]
        names = (*self._hosts, f"[{address}]" if ":" in address else address)
        ours = {f"{name}:{port}" for name in names} | (set(names) if port == 80 else set[str]())
        return [value.decode("latin-1").lower() in ours for value in _values(scope, b"host")] == [True]


class Exchange:
    """One request and its answer: the body is counted and timed while it is read.

    Whoever sends a whole body before listening would find a connection reset instead of an early answer. So behind
    such an answer the rest of the body is read and dropped, within limits, before the connection closes.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        picture = scope["path"] == "/v1/render"
        self._most = limits.picture_body if picture else limits.body if scope["path"] == "/v1/harmonize" else small_body
        self._seconds = limits.picture_seconds if picture else limits.body_seconds
        self._bytes = self._most
        self._rest = (2 * max(self._most, limits.body), limits.body_seconds)  # bytes and seconds behind an early answer
        self._encoded = bool(_values(scope, b"content-encoding"))
        self._announced = int((_values(scope, b"content-length") or [b"0"])[0])
        self._whole = not self._announced and not _values(scope, b"transfer-encoding")
        self._receive = receive
        self._send = send
        self._started = False
        self._held = False

    def check_body(self) -> None:
        """Refuse a body for what its headers say."""
        if self._encoded:
            raise HarmonizeError("media_type", "The body has a Content-Encoding.", "Send it as it is, not compressed.")
        if self._announced > self._most:
            raise self._too_large()

    async def receive(self) -> Message:
        """The app's `receive`. Raises HarmonizeError `body_slow`, `body_too_large`."""
        if self._whole:
            return await self._receive()
        try:
            message = await self._more()
        except TimeoutError:
            hint = "Send it again, or from a computer with a faster connection."
            raise HarmonizeError("body_slow", "The request's body did not come whole in time.", hint) from None
        if self._bytes < 0:
            raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        """The app's `send`; where the body was not read the answer says that the connection will close."""
        if message["type"] == "http.response.start":
            self._started = True
            if not self._whole:
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        elif not self._whole and not message.get("more_body", False):
            message, self._held = {**message, "more_body": True}, True
        await self._send(message)

    async def refuse(self, error: HarmonizeError, log_path: str | None) -> None:
        """Answer with an error and close. An answer that has begun can only be broken off."""
        if self._started:
            raise error
        body = refusal(error, log_path)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if self._whole:
            headers.append((b"connection", b"close"))
        if error.code == "token_wrong":
            headers.append((b"www-authenticate", b"Bearer"))
        await self.send({"type": "http.response.start", "status": status(error.code), "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    async def finish(self) -> None:
        """Read and drop what is left of the body behind an early answer, then end the answer."""
        if not self._held:
            return
        self._bytes, self._seconds = self._rest
        with contextlib.suppress(TimeoutError):
            while not self._whole and self._bytes >= 0:
                await self._more()
        await self._send({"type": "http.response.body", "body": b""})

    async def _more(self) -> Message:
        """The next part of the body. Only the time that the client lets us wait counts."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        async with asyncio.timeout(self._seconds):
            message = await self._receive()
        self._seconds -= clock() - begun
        self._bytes -= len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        return message

    def _too_large(self) -> HarmonizeError:
        hint = f"At most {self._most} bytes are taken here; send a smaller picture or proxy."
        return HarmonizeError("body_too_large", "The request's body is too large.", hint)


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == name]


def _is_plain(scope: Scope) -> bool:
    """No proxy's request, no tunnel, no other protocol, and one way only to tell where the body ends."""
    ends = len(_values(scope, b"content-length")) + len(_values(scope, b"transfer-encoding"))
    target = scope["raw_path"].startswith(b"/") and scope["method"] != "CONNECT"
    return target and scope["http_version"] in ("1.0", "1.1") and not _values(scope, b"upgrade") and ends <= 1
