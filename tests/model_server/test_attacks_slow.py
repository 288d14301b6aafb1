"""Attacks that take their time or come in numbers, and what each of them gets; others are served meanwhile."""

import contextlib
import socket
import time

import pytest

from tests.model_server.attackers import (
    Attack,
    good,
    in_parts,
    megabyte,
    open_connections,
    said,
    sent,
    unharmed,
)
from tests.model_server.conftest import Running, Serve
from tests.model_server.sockets import answer, call, closed, eventually

slow: dict[str, tuple[str, Attack]] = {
    "nothing": ("closed", sent(b"")),
    "SSH": ("closed", sent(b"SSH-2.0-OpenSSH_9.9\r\n")),
    "half a line": ("closed", sent(b"POST /v1/harm")),
    "half a head": ("closed", lambda server: said()(server)[:100]),
    "a head without the end of its body": ("408 body_slow", said(body=b"{", Content_Length="100")),
    "parts without an end": ("408 body_slow", lambda server: in_parts(b"{")(server)[:-5]),
    "half of a picture": ("408 body_slow", said(path="/v1/render", Content_Type="multipart/form-data; boundary=x",
                                                  body=b"--x\r\n", Content_Length="100")),
    "a large body without a token, half of it": ("401 token_wrong", said(body=bytes(megabyte), Authorization=None,
                                                                     Content_Length=str(2 * megabyte))),
}  # fmt: skip


@pytest.mark.parametrize("name", slow)
def test_who_stops_speaking_gets(name: str, serve: Serve) -> None:
    """Thirty of them at a time; while they are waited for, others are served."""
    server = serve(head_seconds=0.5, body_seconds=0.5, picture_seconds=0.5, renders=100, waiting=100)
    gets, raw = slow[name]
    with contextlib.ExitStack() as stack:
        attackers = [stack.enter_context(call(server.port, raw(server))) for _ in range(30)]
        assert server.harmonize(good).status == 200
        for attacker in attackers:
            told = answer(attacker, "POST")
            assert (f"{told.status} {told.code}" if told else "closed") == gets
            assert closed(attacker)
        assert unharmed(server)


def test_a_head_and_a_body_that_drip_are_not_waited_for(serve: Serve) -> None:
    server = serve(head_seconds=0.5, body_seconds=0.5)
    whole = said()(server)
    body = whole.index(b"\r\n\r\n") + 4
    with call(server.port) as head, call(server.port, whole[:body]) as rest:
        with pytest.raises(ConnectionError):
            for byte in whole[:body]:
                head.sendall(bytes([byte]))
                time.sleep(0.02)
        with pytest.raises(ConnectionError):
            for byte in whole[body:]:
                rest.sendall(bytes([byte]))
                time.sleep(0.02)
    assert unharmed(server)


@pytest.mark.parametrize("start", ["", "POST", "head", "half", "whole"])
def test_who_closes_its_side_is_gone(start: str, server: Running) -> None:
    whole = said()(server)
    ends = {"": 0, "POST": 4, "head": whole.index(b"\r\n\r\n") + 4, "half": len(whole) // 2, "whole": len(whole)}
    with call(server.port, whole[: ends[start]]) as attacker:
        attacker.shutdown(socket.SHUT_WR)
        assert closed(attacker)
    with call(server.port, whole[: ends[start]]) as attacker:
        attacker.shutdown(socket.SHUT_RD)
    assert unharmed(server)


def test_who_resets_its_connection_leaves_nothing(server: Running) -> None:
    whole = said()(server)
    for end in (0, 10, len(whole) // 2, len(whole)):
        with call(server.port, whole[:end]) as attacker:
            attacker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    assert unharmed(server)


def test_a_flood_of_silent_connections_keeps_nobody_out(serve: Serve) -> None:
    """Of too many connections the longest silent ones are closed at once, the others when their time for a head is over."""
    server = serve(connections=20, head_seconds=0.5)
    with contextlib.ExitStack() as stack:
        flood = [stack.enter_context(call(server.port)) for _ in range(200)]
        assert eventually(lambda: open_connections(server) <= 20)
        assert unharmed(server)
        assert all(closed(one) for one in flood)


def test_a_body_in_crumbs_is_not_taken(server: Running) -> None:
    """Each of its bytes is a chunk of its own, which costs the server most."""
    for authorization in ("Bearer {token}", None):
        head = said(body=b"", Transfer_Encoding="chunked", Authorization=authorization)(server)
        with call(server.port, head) as attacker, pytest.raises(ConnectionError):
            for _ in range(100):
                attacker.sendall(b"1\r\n \r\n" * 40_000)
    assert unharmed(server)


def test_a_flood_of_refused_requests_changes_nothing(server: Running) -> None:
    stranger = said(Authorization=None)(server)
    for _ in range(300):
        with contextlib.suppress(ConnectionError), call(server.port, stranger):
            pass  # the server may have no room for it
    assert eventually(lambda: not open_connections(server))
    assert unharmed(server)
    assert server.token not in server.log
