"""The server when it cannot answer at once: places, patience, clients that leave, and failures."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from harmonize_engine import Composite, Harmonization, HarmonizeError
from model_server.question import Question
from model_server.shelf import Shelf
from tests.model_server.conftest import Running, Serve
from tests.model_server.proxies import question, scene
from tests.model_server.sockets import answer, call, eventually, request

wait = 20.0  # seconds until what does not come has failed


class Held:
    """A shelf whose looks wait until they are let go; `fails` is raised instead of looking."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.looks = 0
        self.fails: Exception | None = None
        self.go = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.shelf, name)

    def harmonize_all(self, model: str, composites: Sequence[Composite]) -> list[Harmonization]:
        self.looks += 1
        assert self.go.wait(wait)
        if self.fails:
            raise self.fails
        return self.shelf.harmonize_all(model, composites)


@pytest.fixture
def held(shelf: Shelf) -> Iterator[Held]:
    held = Held(shelf)
    yield held
    held.go.set()


def test_a_body_that_does_not_come_is_not_waited_for(serve: Serve):
    server = serve(body_seconds=0.1)
    head = request(server.port, "POST", "/v1/harmonize", **headers_of(server), Content_Length="100")
    with call(server.port, head) as caller:
        told = answer(caller)
    assert told is not None
    assert (told.status, told.code) == (408, "body_slow")
    assert server.service.line.length == 0


def headers_of(server: Running) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token}", "Content_Type": "application/json"}


def begun(server: Running) -> socket.socket:
    """A client that has sent a whole request and waits for the answer."""
    body = json.dumps(question(*scene())).encode()
    caller = socket.create_connection(("127.0.0.1", server.port), timeout=wait)
    caller.sendall(request(server.port, "POST", "/v1/harmonize", body, **headers_of(server)))
    return caller


def test_who_comes_when_all_places_are_taken_is_told_when_to_come_again(serve: Serve, held: Held):
    server = serve(held, waiting=1)
    with begun(server) as first:
        assert eventually(lambda: held.looks == 1)
        told = server.harmonize(question(*scene()))
        assert (told.status, told.json["code"]) == (429, "busy")
        assert int(told.headers["retry-after"]) >= 1
        held.go.set()
        heard = answer(first)
        assert heard is not None and heard.status == 200
    assert server.harmonize(question(*scene())).status == 200


def test_who_leaves_while_waiting_is_never_looked_at(serve: Serve, held: Held):
    server = serve(held)
    with begun(server) as first:
        assert eventually(lambda: held.looks == 1)
        with begun(server):
            assert eventually(lambda: server.service.line.length == 2)
        assert eventually(lambda: server.service.line.length == 1)
        held.go.set()
        heard = answer(first)
        assert heard is not None and heard.status == 200
    assert held.looks == 1
    assert eventually(lambda: " 499 " in server.log)


def test_who_leaves_while_being_looked_at_gives_its_place_back_at_once(serve: Serve, held: Held):
    server = serve(held)
    with begun(server):
        assert eventually(lambda: held.looks == 1)
    assert eventually(lambda: server.service.line.length == 0)
    assert not held.go.is_set()


def test_an_answer_that_takes_too_long_is_given_up(serve: Serve, held: Held):
    server = serve(held, request_seconds=0.2)
    told = server.harmonize(question(*scene()))
    assert (told.status, told.json["code"]) == (503, "time_limit")
    assert server.service.line.length == 0


def test_the_event_loop_is_free_while_a_body_is_read(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    server, go, reading = serve(), threading.Event(), threading.Event()
    of = Question.of

    def slowly(*given: Any) -> Question:
        reading.set()
        assert go.wait(wait)
        return of(*given)

    monkeypatch.setattr(Question, "of", slowly)
    with begun(server) as caller:
        assert reading.wait(wait)
        assert server.ask("GET", "/v1/health").json["waiting"] == 1
        go.set()
        heard = answer(caller)
    assert heard is not None and heard.status == 200


def test_a_failure_is_told_without_its_reason_which_the_log_keeps(serve: Serve, held: Held):
    server = serve(held)
    held.fails = RuntimeError("the reason in /some/folder")
    held.go.set()
    told = server.harmonize(question(*scene()))
    assert (told.status, told.json["code"]) == (500, "internal")
    assert b"reason in" not in told.body and b"Traceback" not in told.body
    assert "RuntimeError: the reason in /some/folder" in server.log
    assert server.log.count("Traceback") == 1
    name = told.json["hint"].split()[-1].rstrip(".")
    assert f"{name} failed" in server.log


def test_weights_that_were_changed_are_the_servers_fault(serve: Serve, held: Held):
    server = serve(held)
    held.fails = HarmonizeError("weights_changed", "The weights are others.", "Install Harmonize again.")
    held.go.set()
    told = server.harmonize(question(*scene()))
    assert (told.status, told.json["code"], told.json["hint"]) == (503, "weights_changed", "Install Harmonize again.")


def test_telling_an_error_takes_no_thread(serve: Serve):
    server = serve()
    before = set(threading.enumerate())
    told = [server.ask("GET", "/v1/nothing"), server.ask("GET", "/v1/harmonize"), server.ask("POST", "/v1/follow", b"{")]
    assert [one.json["code"] for one in told] == ["not_found", "method_refused", "bad_json"]
    assert set(threading.enumerate()) <= before
