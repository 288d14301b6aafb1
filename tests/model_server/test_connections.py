"""Connections: who is slow, who is many and who speaks no HTTP is hung up on, and nobody else notices."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import time

import pytest
from starlette.types import Message, Receive, Scope, Send

from model_server.connections import Connection, configured
from model_server.limits import Limits
from tests.model_server.sockets import Serving, answer, ask, call, chunked, closed, eventually, request, serving

large_bytes = 64 << 20  # more than a socket holds
soon = 0.3  # seconds, where a limit is to be met


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body it was sent."""
    message: Message = {"more_body": True}
    body = b""
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    await answer_with(send, body)


async def large(scope: Scope, receive: Receive, send: Send) -> None:
    await answer_with(send, bytes(large_bytes))


async def answer_with(send: Send, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def works(server: Serving) -> bool:
    return ask(server.port, request(server.port, "POST", body=b"good")).body == b"good"


def test_a_head_that_never_begins_closes_the_connection() -> None:
    with serving(echo, Limits(head_seconds=soon)) as server, call(server.port) as caller:
        assert closed(caller)


def test_a_head_that_comes_drop_by_drop_is_not_waited_for() -> None:
    with serving(echo, Limits(head_seconds=soon)) as server, call(server.port, b"GET / HTTP/1.1\r\n") as caller:
        caller.settimeout(0.02)
        for _ in range(500):  # each drop comes well within the limit, the whole of them does not
            with contextlib.suppress(TimeoutError):
                caller.sendall(b"X-Drop: 1\r\n")
                if not caller.recv(1):
                    break
        else:
            pytest.fail("the connection stayed open")
        assert works(server)


def test_the_head_of_a_second_request_has_the_same_time() -> None:
    with serving(echo, Limits(head_seconds=soon)) as server, call(server.port, request(server.port)) as caller:
        assert answer(caller) is not None
        caller.sendall(b"GET / HT")
        assert closed(caller)


def test_between_two_requests_a_connection_may_rest_for_longer_than_a_head_may_take() -> None:
    with serving(echo, Limits(head_seconds=soon)) as server, call(server.port, request(server.port)) as caller:
        assert answer(caller) is not None
        with pytest.raises(TimeoutError):
            caller.settimeout(3 * soon)
            caller.recv(1)
        caller.settimeout(10)
        caller.sendall(request(server.port, "POST", body=b"again"))
        again = answer(caller)
        assert again is not None and again.body == b"again"


def test_the_time_of_the_head_does_not_end_the_body_or_the_answer() -> None:
    with serving(echo, Limits(head_seconds=soon)) as server:
        head = request(server.port, "POST", Content_Length="4")
        with call(server.port, head) as caller, pytest.raises(TimeoutError):
            caller.settimeout(3 * soon)
            caller.recv(1)
        with call(server.port, head[:10]) as caller:
            time.sleep(soon / 3)  # so that it comes in two pieces
            caller.sendall(head[10:] + b"sl")
            with pytest.raises(TimeoutError):
                caller.settimeout(3 * soon)
                caller.recv(1)
            caller.sendall(b"ow")
            heard = answer(caller)
            assert heard is not None and heard.body == b"slow"


def test_requests_in_a_row_sent_at_once_are_answered_in_their_order() -> None:
    with serving(echo) as server:
        questions = [b"one", b"two", b"three"]
        with call(server.port, b"".join(request(server.port, "POST", body=one) for one in questions)) as caller:
            file = caller.makefile("rb")
            with file:
                for question in questions:
                    while file.readline().strip():
                        pass
                    assert file.read(len(question)) == question


def test_the_connection_after_the_last_is_closed_at_once_and_the_others_stay() -> None:
    with serving(echo, Limits(connections=3, head_seconds=1000)) as server, contextlib.ExitStack() as stack:
        callers = [stack.enter_context(call(server.port)) for _ in range(3)]
        assert eventually(lambda: server.connections == 3)
        for _ in range(50):
            with contextlib.suppress(ConnectionError), call(server.port) as one_too_many:
                assert closed(one_too_many)
        callers[0].sendall(request(server.port, "POST", body=b"still here"))
        heard = answer(callers[0])
        assert heard is not None and heard.body == b"still here"
        callers[1].close()
        assert eventually(lambda: server.connections == 2)
        assert works(server)


def test_an_answer_that_nobody_takes_is_given_up() -> None:
    with serving(large, Limits(picture_seconds=soon)) as server, call(server.port, request(server.port)):
        assert eventually(lambda: server.answered == 1)
        assert eventually(lambda: server.idle)


def test_an_answer_that_is_taken_late_comes_whole_and_its_clock_stops() -> None:
    with serving(large, Limits(picture_seconds=2)) as server, call(server.port, request(server.port)) as caller:
        assert eventually(lambda: server.answered == 1)
        heard = answer(caller)
        assert heard is not None and len(heard.body) == large_bytes
        with pytest.raises(TimeoutError):
            caller.settimeout(2.5)
            caller.recv(1)


def test_of_a_closed_connection_nothing_stays_in_memory() -> None:
    def alive() -> int:
        gc.collect()
        return sum(issubclass(type(thing), Connection | asyncio.Transport) for thing in gc.get_objects())

    with serving(large, Limits(head_seconds=1000, picture_seconds=1000)) as server:
        before = alive()
        for raw in (b"", b"GET / HT", request(server.port)):
            with call(server.port, raw):
                assert eventually(lambda: server.connections == 1)
        assert eventually(lambda: server.idle and alive() <= before)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"\x00\xff\xfe garbage\r\n\r\n",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # without Host
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"GET /" + b"a" * 20_000,
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000,
    ],
)
def test_what_is_no_http_is_told_so_in_the_form_of_our_errors(raw: bytes) -> None:
    with serving(echo) as server:
        heard = ask(server.port, raw)
        assert (heard.status, heard.code, heard.headers["connection"]) == (400, "bad_http", "close")
        assert works(server)


def test_a_body_that_breaks_off_into_garbage_is_refused_and_its_request_ends() -> None:
    with serving(echo) as server:
        heard = ask(server.port, request(server.port, "POST", Transfer_Encoding="chunked") + b"4\r\ngood\r\nno number\r\n")
        assert (heard.status, heard.code) == (400, "bad_http")
        assert eventually(lambda: server.idle)


def test_an_app_that_answers_a_body_gone_bad_just_then_is_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    async def hasty(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await answer_with(send, b"hasty")

    with caplog.at_level(logging.ERROR), serving(hasty) as server:
        raw = request(server.port, "POST", Transfer_Encoding="chunked") + b"4\r\ngood\r\nno number\r\n"
        assert ask(server.port, raw).code == "bad_http"
        assert eventually(lambda: server.idle)
    assert not caplog.records


def test_a_body_that_turns_bad_under_an_answer_breaks_it_off() -> None:
    begun = asyncio.Event()

    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"early", "more_body": True})
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    with serving(early) as server:
        head = request(server.port, "POST", Transfer_Encoding="chunked")
        with call(server.port, head) as caller:
            assert eventually(begun.is_set)
            caller.sendall(chunked(b"good")[:-5] + b"no number\r\n")
            assert closed(caller)


def test_who_hangs_up_in_the_middle_leaves_nothing_behind() -> None:
    with serving(echo) as server:
        for raw in (b"", b"GET / HT", request(server.port, "POST", Content_Length="9") + b"half"):
            with call(server.port, raw):
                pass
            with call(server.port, raw) as caller:
                caller.shutdown(socket.SHUT_WR)
                assert closed(caller)
        assert eventually(lambda: server.idle)
        assert works(server)


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
