"""Waiting for an answer only as long as somebody wants it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from harmonize_engine.errors import HarmonizeError

Answer = TypeVar("Answer")


async def while_connected(receive: Receive, work: Coroutine[Any, Any, Answer], seconds: float) -> Answer:
    """Do the work of a request whose body was read, unless its client leaves or its time is over: then it is cancelled.

    Raises ClientDisconnect, HarmonizeError `time_limit`, and what the work raises.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait((working, leaving), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if leaving.done():
            raise ClientDisconnect
        raise HarmonizeError(
            "time_limit", "The engine could not answer in time.", "Try again; close other programs that use the processor."
        )
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
