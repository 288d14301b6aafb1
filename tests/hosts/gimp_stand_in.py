"""A stand-in for the engine: it speaks the wire, answers what a test wants, and remembers what it was asked."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import numpy as np

from harmonize_engine.harmonization import Harmonization
from model_server.points import points

token = "of-the-test"


class StandIn:
    """Answers every question with `harmonization`; mood: "well", "complains", "dies" (hangs up), "waits" (until told)."""

    def __init__(self, folder: Path, harmonization: Harmonization) -> None:
        self.harmonization, self.mood = harmonization, "well"
        self.asked: list[dict] = []
        self.later: tuple[Path, str] | None = None
        self.go_on = threading.Event()
        handler = type("Handler", (_Handler,), {"stand_in": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.file = folder / "server.json"
        self.advertise()

    def advertise(self) -> None:
        """Let it be found."""
        self.file.write_text(json.dumps(self._state()))
        self.file.chmod(0o600)

    def close(self) -> None:
        self.go_on.set()
        self.file.unlink(missing_ok=True)
        self.server.shutdown()
        self.server.server_close()

    def mood_when(self, file: Path, mood: str) -> None:
        """Change the mood as soon as a file is there."""
        self.later = file, mood

    def plane(self, name: str, channels: int = 1) -> np.ndarray:
        """A plane of the last question."""
        question = self.asked[-1]
        numbers = np.frombuffer(base64.b64decode(question[name]), np.uint8)
        shape = (question["height"], question["width"], channels)
        return numbers.reshape(shape if channels > 1 else shape[:2])

    def answer(self) -> dict:
        return {
            "harmonization": json.loads(self.harmonization.to_json()),
            "points": msgspec.to_builtins(points(self.harmonization, "gimp")),
            "timing": {"waited_ms": 0.0, "looked_ms": 0.0, "total_ms": 0.0, "batch": 1},
            "engine": {"device": "cpu", "version": "99"},
        }

    def health(self) -> dict:
        return {"status": "ok", "version": "99", "protocol": "v1", "device": {"name": "cpu"}}

    def _state(self) -> dict:
        found = {"host": "127.0.0.1", "port": self.server.server_port, "token": token, "pid": os.getpid()}
        return {**found, "version": "99", "started": time.time(), "log": "the-log"}


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        models = [{"name": "parametric", "version": "1", "summary": "", "default": True}]
        self._say(200, self.stand_in.health() if self.path == "/v1/health" else {"models": models})

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/follow":
            return self._say(200, {"follows": []})
        self.stand_in.asked.append(question)
        if self.stand_in.later and self.stand_in.later[0].exists():
            self.stand_in.mood = self.stand_in.later[1]
        if self.stand_in.mood == "dies":
            self.stand_in.file.unlink(missing_ok=True)
            self.close_connection = True
            return None
        if self.stand_in.mood == "waits":
            self.stand_in.go_on.wait(60)
        if self.stand_in.mood == "complains":
            return self._say(422, {"code": "mask_tiny", "message": "The mask is tiny.", "hint": "Paint.", "log": "log"})
        return self._say(200, self.stand_in.answer())

    def _say(self, status: int, document: dict) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # whoever asked has given up
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
