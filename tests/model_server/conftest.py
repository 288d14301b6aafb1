"""The whole server on a real loopback socket, in a thread: real gate, line, shelf and weights; and where it is found."""

import http.client
import json
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from model_server import app, engine_client
from model_server.app import Service
from model_server.followers import Followed
from model_server.life import Life
from model_server.limits import Limits
from model_server.line import Line
from model_server.logs import Log
from model_server.shelf import Shelf
from tests.model_server.scripted import leave_state, nobody
from tests.model_server.sockets import serving


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    port: int
    token: str
    service: Service

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has logged."""
        path = Path(self.service.log_path)
        return path.read_text() if path.exists() else ""

    def ask(self, method: str, path: str, content: Any = None, **headers: str) -> Answer:
        """Send a request of its own connection; content that is no bytes is sent as JSON. A header named with _ for -."""
        body = content if isinstance(content, bytes | None) else json.dumps(content).encode()
        told = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Connection": "close"}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, told)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def harmonize(self, content: Any) -> Answer:
        return self.ask("POST", "/v1/harmonize", content)


Serve = Callable[..., Running]


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    """Every model of the package, the default one loaded."""
    shelf = Shelf(None, "cpu", (), Limits().model_memory)
    shelf.warm()
    return shelf


@pytest.fixture(scope="module")
def server(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server as it is started without options; one for all tests of a file."""
    with running(shelf, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def serve(shelf: Shelf, tmp_path: Path) -> Iterator[Serve]:
    """Start a server with other limits, like serve(waiting=1), or another shelf; it ends with the test."""
    with ExitStack() as servers:
        yield lambda shelf=shelf, **limits: servers.enter_context(running(shelf, tmp_path, Limits(**limits)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of the test's own, where nothing runs yet."""
    folder = tmp_path / "läuft gerade"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("HARMONIZE_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def engine(server: Running, folder: Path) -> engine_client.Engine:
    """The real server, found by its state."""
    leave_state(folder, server.port, server.token)
    return engine_client.connect("server", nobody)


@contextmanager
def running(shelf: Any, folder: Path, limits: Limits | None = None) -> Iterator[Running]:
    """Serve what is on a shelf; its log is in the folder."""
    limits, token = limits or Limits(), secrets.token_urlsafe(32)
    log, journal = Log(folder / "server.log", token), logging.getLogger("harmonize.server")
    life = Life(30, Followed(binding=False), log)
    line = Line(shelf.harmonize_all, limits)
    service = Service(limits, token, (), shelf, line, str(folder / "server.log"), life)
    journal.addHandler(log)
    journal.setLevel(logging.INFO)
    try:
        with serving(app.create(service), limits) as running:
            yield Running(running.port, token, service)
    finally:
        journal.removeHandler(log)
        log.close()
