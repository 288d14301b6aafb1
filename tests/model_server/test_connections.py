"""Connections: who is slow, who is many and who speaks no HTTP is hung up on, and nobody else notices."""

import asyncio
import contextlib
import gc
import logging
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from model_server.connections import Connection
from model_server.limits import Limits
from tests.model_server.gated import answer_with, echo
from tests.model_server.sockets import Serving, answer, ask, call, chunked, closed, eventually, request, serving

large_bytes = 64 << 20  # more than a socket holds
soon = 0.3  # seconds, where a limit is to be met


async def large(scope: Scope, receive: Receive, send: Send) -> None:
    await answer_with(send, bytes(large_bytes))


def works(server: Serving) -> bool:
    return ask(server.port, request(server.port, "POST", body=b"good")).body == b"good"


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    """A server that answers with what it was sent."""
    with serving(echo) as server:
        yield server


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


def test_when_too_many_are_open_the_longest_silent_one_gives_way() -> None:
    with serving(echo, Limits(connections=3, head_seconds=1000)) as server, contextlib.ExitStack() as stack:
        asking = stack.enter_context(call(server.port, request(server.port, "POST", body=b"still here")[:-1]))
        assert eventually(lambda: server.connections == 1)
        silent = [stack.enter_context(call(server.port)) for _ in range(50)]
        assert eventually(lambda: server.connections == 3)
        assert [closed(one) for one in silent[:-2]] == [True] * 48
        assert works(server)
        asking.sendall(b"e")
        heard = answer(asking)
        assert heard is not None and heard.body == b"still here"


def test_when_all_connections_are_at_work_the_next_is_closed_at_once() -> None:
    with serving(echo, Limits(connections=3)) as server, contextlib.ExitStack() as stack:
        unfinished = request(server.port, "POST", body=b"still here")[:-1]
        callers = [stack.enter_context(call(server.port, unfinished)) for _ in range(3)]
        assert eventually(lambda: server.connections == 3)
        for _ in range(50):
            with contextlib.suppress(ConnectionError), call(server.port) as one_too_many:
                assert closed(one_too_many)
        callers[0].sendall(b"e")
        heard = answer(callers[0])
        assert heard is not None and heard.body == b"still here"


def test_an_answer_that_nobody_takes_is_given_up() -> None:
    with serving(large, Limits(picture_seconds=soon)) as server, call(server.port, request(server.port)):
        assert eventually(lambda: server.answered == 1)
        assert eventually(lambda: server.idle)


def test_an_answer_that_is_taken_late_comes_whole_and_its_clock_stops() -> None:
    with serving(large, Limits(picture_seconds=1)) as server, call(server.port, request(server.port)) as caller:
        assert eventually(lambda: server.answered == 1)
        heard = answer(caller)
        assert heard is not None and len(heard.body) == large_bytes
        with pytest.raises(TimeoutError):
            caller.settimeout(1.5)
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
def test_what_is_no_http_is_told_so_in_the_form_of_our_errors(server: Serving, raw: bytes) -> None:
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


def test_a_body_in_crumbs_is_refused_before_much_of_it_is_parsed() -> None:
    """It would take the server much longer than to send it takes the client."""
    taken: list[int] = []

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "http.request":
            taken.append(len(message["body"]))

    with serving(counting) as server:
        for before, most in ((b"", 1000), (chunked(bytes(50_000))[:-5], 54_000)):
            taken.clear()
            head = request(server.port, "POST", Transfer_Encoding="chunked") + before
            with call(server.port, head) as attacker, pytest.raises(ConnectionError):
                for _ in range(100):
                    attacker.sendall(b"1\r\nx\r\n" * 40_000)
            assert eventually(lambda: server.idle)
            assert sum(taken) < most


@pytest.mark.parametrize("size", [48, 1000, 100_000])
def test_a_body_in_parts_is_taken(server: Serving, size: int) -> None:
    body = bytes(range(200)) * 5000
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    raw = request(server.port, "POST", Transfer_Encoding="chunked") + chunked(*parts)
    assert ask(server.port, raw).body == body


def test_a_body_that_comes_in_small_packets_is_taken(server: Serving) -> None:
    with call(server.port, request(server.port, "POST", Transfer_Encoding="chunked")) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(50):
            caller.sendall(b"1\r\nx\r\n")
            time.sleep(0.001)
        caller.sendall(b"0\r\n\r\n")
        heard = answer(caller)
        assert heard is not None and heard.body == b"x" * 50


def test_no_part_of_an_answer_waits_to_be_sent(server: Serving) -> None:
    """Without TCP_NODELAY each answer on a connection that is used again comes 40 ms late."""
    with call(server.port, request(server.port)) as caller:
        assert answer(caller) is not None
        (connection,) = server.server.server_state.connections
        served = connection.transport.get_extra_info("socket")
        assert served.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


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
