"""Small apps, with and without the gate in front, and what those hear whom it refuses."""

import contextlib
from collections.abc import Generator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from model_server.gate import Gate
from model_server.limits import Limits
from tests.model_server.sockets import Serving, answer, call, closed, serving

token = "the-right-token"
bearer = f"Bearer {token}"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body it was sent."""
    message: Message = {"more_body": True}
    body = b""
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    await answer_with(send, body)


async def answer_with(send: Send, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def size(scope: Scope, receive: Receive, send: Send) -> None:
    """The app behind the gate: answers with the size of the body."""
    body = await Request(scope, receive).body()
    await JSONResponse({"size": len(body)})(scope, receive, send)


async def busy(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers before it has read the body."""
    await PlainTextResponse("come again", 429)(scope, receive, send)


async def unreachable(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("a refused request has reached the app")


@contextlib.contextmanager
def gated(
    app: Any = size, limits: Limits | None = None, host: str = "127.0.0.1", **more: Any
) -> Generator[Serving, None, None]:
    with serving(Gate(app, token, limits=limits, **more), limits, host) as server:
        yield server


def refused(raw: bytes, server: Serving, method: str = "GET") -> tuple[int, str]:
    """What the client of a refused request hears: always our form of an error, always the end of the connection."""
    with call(server.port, raw) as caller:
        heard = answer(caller, method)
        assert heard is not None and heard.headers["connection"] == "close"
        assert not [name for name in heard.headers if name.lower().startswith("access-control")]
        assert closed(caller)
    return heard.status, heard.code
