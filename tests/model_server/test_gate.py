"""The gate: who is let through, and what everybody else is told."""

import asyncio
import http.client
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from harmonize_engine.errors import HarmonizeError
from model_server.gate import Gate
from model_server.limits import Limits
from tests.model_server.gated import bearer, gated, refused, size, token, unreachable
from tests.model_server.sockets import Serving, answer, ask, call, closed, eventually, request


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


def test_who_has_the_token_is_let_through(gate: Serving) -> None:
    heard = ask(gate.port, request(gate.port, "POST", "/v1/harmonize", b"12345", Authorization=bearer))
    assert (heard.status, heard.body) == (200, b'{"size":5}')
    assert heard.headers["connection"] is None


@pytest.mark.parametrize("name", ["127.0.0.1:{}", "localhost:{}", "LOCALHOST:{}", "[::1]:{}", "LocalHost:{}"])
def test_the_server_goes_by_the_names_of_loopback(gate: Serving, name: str) -> None:
    assert ask(gate.port, request(gate.port, Host=name.format(gate.port), Authorization=bearer)).status == 200


@pytest.mark.parametrize(
    "name",
    [
        "evil.example:{}",
        "127.0.0.1.evil.example:{}",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:",
        "127.0.0.1:80",
        "127.0.0.1:0{}",
        "127.0.0.1:+{}",
        "127.0.0.1:{}0",
        "127.0.0.1:{}:{}",
        "127.0.0.1:{}/",
        "127.0.0.1:{}#",
        "127.0.0.1:{}, localhost:{}",
        "user@127.0.0.1:{}",
        "localhost.:{}",
        "127.1:{}",
        "127.0.0.2:{}",
        "0.0.0.0:{}",
        "2130706433:{}",
        "0x7f000001:{}",
        "::1:{}",
        "[::]:{}",
        "[0:0:0:0:0:0:0:1]:{}",
        "[::ffff:127.0.0.1]:{}",
        "[::1%25lo]:{}",
        "http://127.0.0.1:{}",
        "",
        "\u00e9:{}",
    ],
)
def test_under_any_other_name_it_is_not_there(shut: Serving, name: str) -> None:
    raw = request(shut.port, Host=name.replace("{}", str(shut.port)), Authorization=bearer)
    # names that no Host header may hold are stopped by h11 already
    assert refused(raw, shut) in [(403, "host_refused"), (400, "bad_http")]


def test_a_name_it_was_given_is_its_own_with_its_port_only() -> None:
    with gated(hosts=["Studio.local"]) as server:
        for name, status in ((f"studio.LOCAL:{server.port}", 200), ("studio.local", 403), ("studio.local:1", 403)):
            assert ask(server.port, request(server.port, Host=name, Authorization=bearer)).status == status


def test_the_address_it_was_reached_at_is_its_own() -> None:
    with gated() as server:
        assert ask(server.port, request(server.port, Authorization=bearer)).status == 200
    with gated(host="127.0.0.2") as server:
        name = f"127.0.0.2:{server.port}"
        raw = request(server.port, Host=name, Authorization=bearer)
        assert ask(server.port, raw, host="127.0.0.2").status == 200


def test_it_answers_on_the_other_loopback_too() -> None:
    with gated(host="::1") as server:
        raw = request(server.port, Host=f"[::1]:{server.port}", Authorization=bearer)
        assert ask(server.port, raw, host="::1").status == 200


def test_at_port_80_nobody_says_the_port() -> None:
    async def asked(host: str, port: int) -> int:
        scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "http_version": "1.1"}
        scope |= {"server": ("127.0.0.1", port), "headers": [(b"host", host.encode()), (b"authorization", bearer.encode())]}
        heard: list[Any] = []

        async def send(message: Any) -> None:
            heard.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        await Gate(size, token)(scope, receive, send)
        return heard[0]["status"]

    assert asyncio.run(asked("127.0.0.1", 80)) == 200
    assert asyncio.run(asked("127.0.0.1:80", 80)) == 200
    assert asyncio.run(asked("127.0.0.1", 8080)) == 403


def test_http_1_0_must_name_the_host_as_well(gate: Serving) -> None:
    assert refused(request(gate.port, version="1.0", Host=None, Authorization=bearer), gate) == (403, "host_refused")
    assert ask(gate.port, request(gate.port, version="1.0", Authorization=bearer)).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "file://", ""])
def test_no_page_is_let_through_not_even_with_the_token(shut: Serving, origin: str) -> None:
    assert refused(request(shut.port, Origin=origin, Authorization=bearer), shut) == (403, "origin_refused")


def test_a_browser_that_asks_first_is_refused(shut: Serving) -> None:
    raw = request(
        shut.port, "OPTIONS", Origin="null", Access_Control_Request_Method="POST",
        Access_Control_Request_Private_Network="true",
    )  # fmt: skip
    assert refused(raw, shut) == (403, "origin_refused")


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {token[:-1]}",
        f"Bearer {token}x",
        f"Bearer  {token}",
        f"Bearer {token.upper()}",
        f"Bearer {token[:-1]}\u00e9",
        f"Bearer {token} {token}",
        f"Basic {token}",
        token,
        f"Bearer {'x' * 10_000}",
        f"{bearer}\r\nAuthorization: {bearer}",
        f"Bearer wrong\r\nAuthorization: {bearer}",
    ],
)
def test_without_the_token_nobody_is_let_through(shut: Serving, given: str | None) -> None:
    assert refused(request(shut.port, Authorization=given), shut) == (401, "token_wrong")
    heard = ask(shut.port, request(shut.port, Authorization=given))
    assert heard.headers["www-authenticate"] == "Bearer"


def test_how_long_a_wrong_token_is_looked_at_tells_nothing_of_the_right_one(
    shut: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, right: bytes) -> bool:
        compared.append((given, right))
        return False

    monkeypatch.setattr("hmac.compare_digest", compare)
    assert refused(request(shut.port, Authorization=bearer), shut) == (401, "token_wrong")
    assert compared == [(token.encode(), token.encode())]


def test_the_scheme_may_be_written_as_one_likes(gate: Serving) -> None:
    assert ask(gate.port, request(gate.port, Authorization=f"bearer {token}")).status == 200


@pytest.mark.parametrize("path", [f"/?token={token}", f"/?authorization={bearer}".replace(" ", "%20"), f"/{token}"])
def test_a_token_in_the_address_does_not_count(shut: Serving, path: str) -> None:
    assert refused(request(shut.port, path=path, Cookie=f"token={token}"), shut) == (401, "token_wrong")


def test_no_server_can_be_made_without_a_token() -> None:
    with pytest.raises(ValueError, match="token"):
        Gate(size, "")


def test_only_who_knows_the_token_is_told_where_the_log_is() -> None:
    with gated(unreachable, log_path="/home/ada/server.log") as server:
        stranger = ask(server.port, request(server.port, Authorization="Bearer wrong"))
        friend = ask(server.port, request(server.port, "POST", Authorization=bearer, Content_Encoding="gzip"))
    assert b"ada" not in stranger.body
    assert friend.code == "media_type"
    assert b'"log":"/home/ada/server.log"' in friend.body


def test_the_order_of_the_rules_tells_a_page_nothing(shut: Serving) -> None:
    both = request(shut.port, Host="evil.example", Origin="https://evil.example")
    assert refused(both, shut) == (403, "host_refused")
    assert refused(request(shut.port, Origin="https://evil.example"), shut) == (403, "origin_refused")


@pytest.mark.parametrize("target", ["http://127.0.0.1/v1/health", "https://evil.example/", "*", "evil.example:80", "v1"])
def test_the_server_is_no_proxy(shut: Serving, target: str) -> None:
    assert refused(request(shut.port, path=target, Authorization=bearer), shut) == (400, "bad_http")


def test_the_server_is_no_tunnel(shut: Serving) -> None:
    for target in (f"127.0.0.1:{shut.port}", "/"):
        raw = request(shut.port, "CONNECT", target, Authorization=bearer)
        assert refused(raw, shut, "CONNECT") == (400, "bad_http")


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.0"])
def test_no_other_protocol_is_taken_up(shut: Serving, upgrade: str) -> None:
    raw = request(
        shut.port, Authorization=bearer, Connection="Upgrade, HTTP2-Settings", Upgrade=upgrade,
        HTTP2_Settings="AAMAAABkAAQAAP__", Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==", Sec_WebSocket_Version="13",
    )  # fmt: skip
    assert refused(raw, shut) == (400, "bad_http")
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    assert ask(shut.port, preface).status in (400, 403)


def test_a_failure_of_the_app_is_told_without_its_inside(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("secret inside")

    with caplog.at_level(logging.ERROR), gated(broken, log_path="server.log") as server:
        heard = ask(server.port, request(server.port, Authorization=bearer))
    assert (heard.status, heard.code) == (500, "internal")
    assert b"secret" not in heard.body and b"Traceback" not in heard.body and b"server.log" in heard.body
    assert "secret inside" in caplog.text and token not in caplog.text


def test_an_error_of_ours_is_told_as_it_is() -> None:
    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        raise HarmonizeError("mask_empty", "The mask is empty.", "Paint on it.")

    with gated(refusing) as server:
        heard = ask(server.port, request(server.port, Authorization=bearer))
        assert (heard.status, heard.code) == (422, "mask_empty")


def test_an_answer_that_fails_in_the_middle_is_broken_off() -> None:
    async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    with gated(breaking) as server, call(server.port, request(server.port, Authorization=bearer)) as caller:
        with pytest.raises(http.client.IncompleteRead):
            answer(caller)
        assert closed(caller)


def test_a_client_that_leaves_in_its_body_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), gated() as server:
        with call(server.port, request(server.port, "POST", Authorization=bearer, Content_Length="9") + b"half"):
            assert eventually(lambda: server.requests == 1)
        assert eventually(lambda: server.idle)
    assert not caplog.records


def test_a_request_that_a_stopping_server_gives_up_is_told_so() -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    with gated(endless, Limits(drain_seconds=0.1)) as server:
        raw = request(server.port, Authorization=bearer)
        with call(server.port, raw) as caller:
            assert eventually(lambda: server.requests == 1)
            server.server.should_exit = True
            heard = answer(caller)
            assert heard is not None and (heard.status, heard.code) == (503, "stopping")


def test_a_websocket_scope_of_another_server_is_left_alone() -> None:
    async def nothing(*_: Any) -> Any:
        raise AssertionError

    asyncio.run(Gate(unreachable, token)({"type": "websocket"}, nothing, nothing))
