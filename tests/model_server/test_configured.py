"""The server made for our app: it ends when it is told to, and nothing around it changes it."""

import asyncio
import contextlib
import signal
import socket

import pytest
from starlette.types import Receive, Scope, Send

from model_server.connections import configured
from model_server.limits import Limits
from tests.model_server.gated import answer_with, echo
from tests.model_server.sockets import answer, ask, call, eventually, request, serving

soon = 0.3  # seconds, where a limit is to be met


def test_the_server_stops_though_somebody_is_connected_and_somebody_is_slow() -> None:
    with contextlib.ExitStack() as stack, serving(echo, Limits(drain_seconds=soon)) as server:
        stack.enter_context(call(server.port))
        stack.enter_context(call(server.port, b"GET / HT"))
        rests = stack.enter_context(call(server.port, request(server.port)))
        assert answer(rests) is not None
        server.server.should_exit = True
        assert eventually(lambda: server.idle)


def test_the_server_never_takes_the_signals_of_its_program() -> None:
    def handlers() -> list[object]:
        return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    async def serve() -> None:
        before = handlers()
        server = configured(echo)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            task = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:
                await asyncio.sleep(0.01)
            assert handlers() == before
            server.should_exit = True
            await task

    asyncio.run(serve())


def test_nothing_of_the_environment_changes_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "nonsense")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")

    async def caller(scope: Scope, receive: Receive, send: Send) -> None:
        await answer_with(send, str(scope["client"][0]).encode())

    with serving(caller) as server:
        heard = ask(server.port, request(server.port, X_Forwarded_For="8.8.8.8"))
        assert heard.body == b"127.0.0.1"
        assert heard.headers["server"] is None
