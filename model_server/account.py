"""The account of every request: one line in the log, without content and without the token."""

import logging
import secrets
from dataclasses import dataclass, field
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("harmonize.server")


class Account:
    """ASGI middleware around everything, the gate too, so that what was refused there has its line as well."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and write down what became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        line = Line()

        async def counted_receive() -> Message:
            message = await receive()
            line.received += len(message.get("body", b""))
            return message

        async def counted_send(message: Message) -> None:
            line.status = message.get("status", line.status)
            line.sent += len(message.get("body", b""))
            await send(message)

        scope["harmonize.request"] = line.id
        try:
            await self.app(scope, counted_receive, counted_send)
        except Exception:  # after the answer had begun: it can only be broken off
            log.exception("%s was broken off", line.id)
        finally:
            path = scope["raw_path"][:100].decode("ascii", "backslashreplace")
            log.info("%s %s %s %s", line.id, scope["method"][:16], path, line)


@dataclass
class Line:
    """What is told of a request. status: 0 where nobody was there to answer."""

    id: str = field(default_factory=lambda: secrets.token_hex(4))
    began: float = field(default_factory=perf_counter)
    status: int = 0
    received: int = 0
    sent: int = 0

    def __str__(self) -> str:
        milliseconds = 1000 * (perf_counter() - self.began)
        return f"{self.status} {milliseconds:.0f} ms, {self.received} bytes in, {self.sent} out"
