"""The study as a web page of this computer: nobody else can reach it, and nothing in it names who made a picture."""

import json
import mimetypes
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation.study import votes
from harmonize_engine.evaluation.study.ballot import Ballot
from harmonize_engine.evaluation.study.bradley_terry import scores

most_body = 4096  # bytes


@dataclass
class Study:
    """What is asked, and where the answers go."""

    ballot: Ballot
    votes_path: Path
    question: str
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self) -> dict[str, Any]:
        """The next question, without a word on methods."""
        with self.lock:
            question = self.ballot.ask()
            return {"token": question.token, "votes": len(self.ballot.votes)}

    def answer(self, given: Mapping[str, Any]) -> None:
        """Keep an answer. Raises HarmonizeError."""
        with self.lock:
            vote = self.ballot.answer(str(given.get("token")), str(given.get("choice")), str(given.get("voter", ""))[:80])
            votes.append(vote, self.votes_path)

    def scores(self) -> list[dict[str, Any]]:
        """The scores so far."""
        with self.lock:
            return [asdict(score) for score in scores(self.ballot.votes, self.ballot.methods)]

    def page(self) -> str:
        """The page, with its question."""
        template = Template(Path(__file__).with_name("study.html").read_text("utf-8"))
        return template.substitute(question=escape(self.question))


class _Handler(BaseHTTPRequestHandler):
    """Answers this computer's browser only."""

    protocol_version = "HTTP/1.1"
    server: "StudyServer"  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        """Serve the page, a question, a picture or the scores."""
        study = self.server.study
        parts = self.path.strip("/").split("/")
        try:
            self._refuse_strangers()
            if self.path == "/":
                self._send(HTTPStatus.OK, study.page().encode(), "text/html; charset=utf-8")
            elif self.path == "/next":
                self._send_json(study.ask())
            elif self.path == "/scores":
                self._send_json(study.scores())
            elif len(parts) == 3 and parts[0] == "picture":
                path = study.ballot.picture(parts[1], parts[2])
                self._send(HTTPStatus.OK, path.read_bytes(), mimetypes.guess_type(path.name)[0] or "image/png")
            else:
                raise HarmonizeError("not_found", "There is nothing here.")
        except (HarmonizeError, OSError) as error:
            self._complain(error)

    def do_POST(self) -> None:
        """Take a vote."""
        try:
            self._refuse_strangers()
            length = int(self.headers.get("Content-Length") or 0)
            if self.path != "/vote" or self.headers.get_content_type() != "application/json" or length > most_body:
                raise HarmonizeError("not_found", "Votes are posted to /vote as JSON.")
            given = json.loads(self.rfile.read(length))
            if not isinstance(given, dict):
                raise HarmonizeError("choice_unknown", "A vote is an object.")
            self.server.study.answer(given)
            self._send_json({"kept": True})
        except ValueError:
            self._complain(HarmonizeError("choice_unknown", "A vote is JSON."))
        except HarmonizeError as error:
            self._complain(error)

    def _refuse_strangers(self) -> None:
        """A page of the web must neither read nor vote: its name for this computer, or its origin, gives it away."""
        own = {f"{host}:{self.server.server_port}" for host in ("127.0.0.1", "localhost")}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in own or (origin is not None and origin.removeprefix("http://") not in own):
            raise HarmonizeError("forbidden", "Only this computer's own page may ask.")

    def _complain(self, error: Exception) -> None:
        code, message = (
            (error.code, error.message) if isinstance(error, HarmonizeError) else ("file_unreadable", str(error))
        )
        status = (
            HTTPStatus.FORBIDDEN
            if code == "forbidden"
            else HTTPStatus.NOT_FOUND
            if code == "not_found"
            else HTTPStatus.CONFLICT
        )
        self.close_connection = True
        self._send(status, json.dumps({"code": code, "message": message}).encode(), "application/json")

    def _send_json(self, value: object) -> None:
        self._send(HTTPStatus.OK, json.dumps(value).encode(), "application/json")

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal is for scores."""


class StudyServer(ThreadingHTTPServer):
    """Listens at 127.0.0.1; port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, study: Study, port: int = 0) -> None:
        self.study = study
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise HarmonizeError(
                "port_taken", f"Port {port} cannot be used: {error.strerror}.", "Choose another."
            ) from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/"
