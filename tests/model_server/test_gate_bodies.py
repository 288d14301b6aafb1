"""The gate and bodies: how large and how slow they may be, and that an honest client always hears the answer."""

import asyncio
import contextlib
import http.client
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from starlette.types import Message, Receive, Scope, Send

from model_server.gate import small_body
from model_server.limits import Limits
from tests.model_server.gated import bearer, busy, gated, refused, size, unreachable
from tests.model_server.sockets import Serving, answer, ask, call, chunked, closed, eventually, request

small = Limits(body=100_000, picture_body=200_000, body_seconds=0.3, picture_seconds=0.3)
megabyte = 1 << 20


@pytest.fixture(scope="module")
def gate() -> Iterator[Serving]:
    """A server with an app that takes whatever passes the gate."""
    with gated() as server:
        yield server


@pytest.fixture(scope="module")
def shut() -> Iterator[Serving]:
    """A server whose app must never be reached; if it is, the answer is 500."""
    with gated(unreachable) as server:
        yield server


def test_a_body_that_ends_in_two_ways_is_refused(shut: Serving) -> None:
    raw = request(shut.port, "POST", Authorization=bearer, Content_Length="3", Transfer_Encoding="chunked")
    assert refused(raw + b"0\r\n\r\n", shut) == (400, "bad_http")


def test_a_compressed_body_is_refused(shut: Serving) -> None:
    for encoding in ("gzip", "br", "deflate, gzip", "identity"):
        raw = request(shut.port, "POST", body=b"\x1f\x8b", Authorization=bearer, Content_Encoding=encoding)
        assert refused(raw, shut) == (415, "media_type")


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v1/harmonize", small.body),
        ("/v1/harmoniz%65", small.body),
        ("/v1/render", small.picture_body),
        ("/v1/%72ender", small.picture_body),
        ("/v1/health", small_body),
        ("//v1/render", small_body),
        ("/v1/render/", small_body),
        ("/v1/render?/v1/harmonize", small.picture_body),
        ("/v1/health?/v1/render", small_body),
        ("/v1/../v1/render", small_body),
        ("/", small_body),
    ],
)
def test_each_path_has_its_largest_body(path: str, most: int) -> None:
    with gated(limits=small) as server:
        heard = ask(server.port, request(server.port, "POST", path, bytes(most), Authorization=bearer))
        assert (heard.status, heard.body) == (200, b'{"size":%d}' % most)
        raw = request(server.port, "POST", path, bytes(most + 1), Authorization=bearer)
        assert refused(raw, server) == (413, "body_too_large")
        head = request(server.port, "POST", path, Authorization=bearer, Transfer_Encoding="chunked")
        heard = ask(server.port, head + chunked(bytes(most - 1), b"x"))
        assert (heard.status, heard.body) == (200, b'{"size":%d}' % most)
        assert refused(head + chunked(bytes(most), b"x"), server) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["/v1/harmonize", "/v1/render", "/v1/health"])
def test_a_body_that_stops_is_not_waited_for(path: str) -> None:
    long, soon = 1000, 0.3
    limits = Limits(body_seconds=soon, picture_seconds=long)
    if path == "/v1/render":
        limits = Limits(body_seconds=long, picture_seconds=soon)
    in_one = request(0, "POST", path, Host="localhost:{}", Authorization=bearer, Content_Length="1000")
    in_parts = request(0, "POST", path, Host="localhost:{}", Authorization=bearer, Transfer_Encoding="chunked")
    with gated(limits=limits) as server:
        for raw in (in_one, in_one + b"half", in_parts, in_parts + b"4\r\nha"):
            heard = ask(server.port, raw.replace(b"{}", b"%d" % server.port))
            assert (heard.status, heard.code) == (408, "body_slow")


def test_a_body_that_drips_is_not_waited_for_either() -> None:
    with gated(limits=small) as server:
        head = request(server.port, "POST", "/v1/harmonize", Authorization=bearer, Content_Length="100000")
        with call(server.port, head) as caller:
            caller.settimeout(0.02)
            for _ in range(500):
                caller.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    heard = answer(caller)
                    assert heard is not None and (heard.status, heard.code) == (408, "body_slow")
                    break
            else:
                pytest.fail("the server still waits")


def test_the_time_in_which_the_app_does_not_listen_is_not_the_clients() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        async def late() -> Message:
            await asyncio.sleep(2 * small.body_seconds)
            return await receive()

        await size(scope, late, send)

    with gated(slow, small) as server:
        raw = request(server.port, "POST", "/v1/harmonize", bytes(small.body), Authorization=bearer)
        assert ask(server.port, raw).status == 200


def test_a_client_is_told_to_go_on_only_when_it_may() -> None:
    with gated(limits=small) as server:
        head = request(
            server.port, "POST", "/v1/harmonize", Authorization=bearer, Content_Length="4", Expect="100-continue"
        )
        with call(server.port, head) as caller:
            assert caller.recv(100).startswith(b"HTTP/1.1 100 ")
            caller.sendall(b"body")
            heard = answer(caller)
            assert heard is not None and heard.body == b'{"size":4}'
        for wrong in ({"Authorization": None}, {"Authorization": bearer, "Content_Length": "100001"}):
            told: dict[str, Any] = {"Content_Length": "4", "Expect": "100-continue"} | wrong
            with call(server.port, request(server.port, "POST", "/v1/harmonize", **told)) as caller:
                assert caller.recv(100).startswith(b"HTTP/1.1 4")


def test_a_head_request_gets_no_body_when_it_is_refused() -> None:
    with gated(unreachable) as server, call(server.port, request(server.port, "HEAD")) as caller:
        heard = answer(caller, "HEAD")
        assert heard is not None and (heard.status, heard.body) == (401, b"")
        assert closed(caller)


def test_after_a_refusal_nothing_more_is_read(gate: Serving) -> None:
    """A second request behind a refused one, or in its body, is never answered."""
    good = request(gate.port, Authorization=bearer)
    for stranger in (request(gate.port), request(gate.port, "POST", body=good)):
        with call(gate.port, stranger + good) as caller:
            told = b""
            while part := caller.recv(1 << 16):
                told += part
        assert told.count(b"HTTP/1.1") == 1 and told.startswith(b"HTTP/1.1 401")


def with_http_client(server: Serving, path: str, bearer: str, body: Any) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("POST", path, body, {"Authorization": bearer}, encode_chunked=not isinstance(body, bytes))
        heard = connection.getresponse()
        heard.read()
        return heard.status


def with_requests(server: Serving, path: str, bearer: str, body: Any) -> int:
    url, headers = f"http://127.0.0.1:{server.port}{path}", {"Authorization": bearer}
    return requests.post(url, body, headers=headers, timeout=20).status_code


@pytest.mark.parametrize("client", [with_http_client, with_requests])
@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.parametrize("megabytes", [1, 20])
def test_an_honest_client_hears_why_its_body_was_not_read(client: Any, in_parts: bool, megabytes: int) -> None:
    def body() -> Any:
        return (bytes(megabyte) for _ in range(megabytes)) if in_parts else bytes(megabytes * megabyte)

    with gated() as server, gated(busy) as full:
        assert client(server, "/v1/harmonize", "Bearer of an old token", body()) == 401
        assert client(server, "/v1/render", "Bearer of an old token", body()) == 401
        assert client(server, "/v1/stop", bearer, body()) == 413
        assert client(server, "/v1/harmonize", bearer, body()) == (200 if megabytes <= 16 else 413)
        assert client(full, "/v1/render", bearer, body()) == 429


def test_what_is_read_behind_an_answer_has_its_limits() -> None:
    limits = Limits(body=100_000, body_seconds=0.3)
    with gated(limits=limits) as server:
        for raw in (
            request(server.port, "POST", Content_Length="1000"),
            request(server.port, "POST", Content_Length="1000") + b"half",
            request(server.port, "POST", Transfer_Encoding="chunked"),
        ):
            with call(server.port, raw) as caller:
                heard = answer(caller)
                assert heard is not None and heard.status == 401
                assert closed(caller)
    with gated(limits=Limits(body=100_000, body_seconds=1000)) as server:
        endless_body = request(server.port, "POST", Content_Length="9" * 12)
        with call(server.port, endless_body) as endless, pytest.raises(ConnectionError):
            for _ in range(64):
                endless.sendall(bytes(megabyte))


def test_a_client_that_goes_away_while_its_rest_is_read_leaves_nothing(gate: Serving) -> None:
    with call(gate.port, request(gate.port, "POST", Content_Length="1000") + b"half") as caller:
        assert answer(caller) is not None
        assert gate.requests
    assert eventually(lambda: gate.idle)


def test_an_early_answer_gives_back_what_its_request_held_before_the_rest_is_read() -> None:
    returned = asyncio.Event()

    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await busy(scope, receive, send)
        returned.set()

    with gated(early) as server:
        raw = request(server.port, "POST", Authorization=bearer, Content_Length="1000")
        with call(server.port, raw) as caller:
            heard = answer(caller)
            assert heard is not None and heard.status == 429
            assert eventually(returned.is_set)
            assert server.requests
