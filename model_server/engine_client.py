# SPDX-License-Identifier: Apache-2.0
# Part of Harmonize. The plug-ins carry copies of this file; it is edited in model_server/ only.
"""The door to the Harmonize engine for a Python that has nothing but its standard library (3.10 to 3.14).

Finds the engine's server on this machine or starts it, asks it, and survives its death:

    engine = connect(follow=os.getpid())  # the server leaves with this program
    stop = Cancellation()  # stop.cancel(), from any thread, ends at once whatever waits with it
    proxy = Proxy(width, height, composite, mask)  # bytes, at most 1024 x 1024 pixels
    try:
        answer = engine.harmonize(proxy, points_for="gimp", cancellation=stop, progress=show)
    except Cancelled:
        return
    except EngineError as error:
        return complain(error.message, error.hint, error.log)
    make_layers(answer.harmonization["adjustments"], answer.points)
"""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import importlib.util
import json
import os
import queue
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

protocols = ("v1",)  # that this file speaks
wanted_version = "0.1.0"  # an older server is asked to give way to the engine that is installed

health_seconds = 2.0  # for a server to say how it is
start_seconds = 60.0  # for a new one to be ready, an old one having given way
answer_seconds = 60.0  # for any other answer; the server itself gives up sooner, and says so
busy_seconds = 60.0  # of asking again while the server is busy

fitting = 0.54  # the harmony from which a foreground fits, as the engine has it
foreign = ("PYTHON", "LD_", "DYLD_", "QT", "QML", "GI_", "GIO_", "GTK", "GDK_", "GST_", "GIMP", "GEGL", "BABL", "KRITA")
gone = ("engine_gone", "stopping", "token_wrong")  # a wrong token: another server has taken the port of ours
repair = "Repair Harmonize with its installer."
Progress = Callable[[str, float], None]  # what is being done, and how far all of it is, 0..1; in the asker's thread


class EngineError(Exception):
    """Why there is no answer: a stable code, what is wrong, what to do, and the log file that says more, if any."""

    def __init__(self, code: str, message: str, hint: str = "", log: str | None = None) -> None:
        super().__init__(f"{message} {hint}".strip())
        self.code, self.message, self.hint, self.log = code, message, hint, log
        self.pause = 1.0  # seconds until asking again makes sense, where the code is "busy"


class Cancelled(EngineError):
    """The caller has changed its mind."""

    def __init__(self) -> None:
        super().__init__("cancelled", "Cancelled.")


@dataclass(frozen=True)
class Proxy:
    """A small copy of the picture: 8-bit values as the document shows them, rows from the top, nothing between them.

    composite, and background, the picture without the foreground: RGB; mask, 255 = foreground, and reference_mask,
    255 = the part of the background to match: one byte a pixel.
    """

    width: int
    height: int
    composite: bytes
    mask: bytes
    background: bytes | None = None
    reference_mask: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """The adjustments as a `harmonize/1` document, at the strengths asked for.

    points: parallel to the adjustments, None for what is no tone curves, of these {"x": [..], "y": [..]} for R, G and B,
    or None where the host's own curve cannot follow. timing: milliseconds, as the engine took them.
    """

    harmonization: dict[str, Any]
    points: list[Any] | None
    timing: dict[str, Any]
    device: str

    @property
    def leave(self) -> bool:
        """Whether the model advises to leave the foreground as it is."""
        return bool((self.harmonization.get("confidence") or {}).get("leave"))

    @property
    def fits(self) -> bool:
        """Whether the foreground fits as it is; if not, the reason to `leave` it is that no help is expected."""
        return (self.harmonization.get("confidence") or {}).get("before", 0) >= fitting


class Cancellation:
    """A switch that any thread may turn, once: whatever waits with it raises Cancelled at once."""

    def __init__(self) -> None:
        self._turned = threading.Event()
        self._lock = threading.RLock()
        self._hooks: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Whether the switch was turned."""
        return self._turned.is_set()

    def cancel(self) -> None:
        """Turn the switch."""
        self._turned.set()
        with self._lock:
            for hook in self._hooks:
                hook()

    def check(self, seconds: float = 0.0) -> None:
        """Raise Cancelled if the switch is turned, now or within the time."""
        if self._turned.wait(seconds):
            raise Cancelled

    @contextlib.contextmanager
    def calling(self, hook: Callable[[], None], seconds: float) -> Generator[None, None, None]:
        """While the block runs, have `hook`, which must not block, called by the switch or when the time is up."""
        clock = threading.Timer(seconds, hook)
        clock.daemon = True
        clock.start()
        with self._lock:
            self._hooks.append(hook)
        try:
            self.check()
            yield
        finally:
            clock.cancel()
            with self._lock:
                self._hooks.remove(hook)


class Engine:
    """What can be asked, be it a server or this very process: both give the same answers."""

    description: str  # for people, like "server 127.0.0.1:41234, cpu"

    def harmonize(
        self,
        proxy: Proxy,
        model: str | None = None,
        color_strength: float = 1.0,
        light_strength: float = 1.0,
        points_for: str | None = None,
        cancellation: Cancellation | None = None,
        progress: Progress | None = None,
    ) -> Answer:
        """Ask how to make the foreground belong. points_for: "gimp" or "krita". Raises EngineError, Cancelled."""
        progress = progress or _silent
        names = ("composite", "mask", "background", "reference_mask")
        planes = {name: plane for name in names if (plane := getattr(proxy, name)) is not None}
        question = {
            **{name: base64.b64encode(plane).decode() for name, plane in planes.items()},
            **{"width": proxy.width, "height": proxy.height, "model": model, "points_for": points_for},
            **{"color_strength": color_strength, "light_strength": light_strength},
        }
        answer = self._ask("POST", "/v1/harmonize", question, cancellation or Cancellation(), progress)
        progress("done", 1.0)
        return Answer(answer["harmonization"], answer["points"], answer["timing"], answer["engine"]["device"])

    def models(self) -> list[dict[str, Any]]:
        """Tell the models there are, the default first. Raises EngineError."""
        return self._ask("GET", "/v1/models", None, Cancellation(), _silent)["models"]

    def health(self) -> dict[str, Any]:
        """Tell how the engine is. Raises EngineError."""
        return self._ask("GET", "/v1/health", None, Cancellation(), _silent)

    def _ask(self, method: str, path: str, question: Any, cancellation: Cancellation, progress: Progress) -> Any:
        raise NotImplementedError


class InProcessEngine(Engine):
    """The engine in this very process, for a Python that has it installed. reason: why there is no server."""

    def __init__(self, reason: str = "") -> None:
        from model_server import in_process  # never imported by a program without it

        self._answer = in_process.answer
        self.description = f"in-process, {in_process.device}" + (f" ({reason})" if reason else "")

    def _ask(self, method: str, path: str, question: Any, cancellation: Cancellation, progress: Progress) -> Any:
        progress("looking", 0.5)
        cancellation.check()
        try:
            answer = self._answer(method, path, question)
        except Exception as error:  # HarmonizeError, and defects
            code, message = getattr(error, "code", "internal"), getattr(error, "message", repr(error))
            raise EngineError(code, message, getattr(error, "hint", "")) from error
        cancellation.check()
        return answer


class ServerEngine(Engine):
    """The engine behind a socket. Where its server has died, a question finds or starts another by itself."""

    def __init__(self, find: Callable[[Cancellation, Progress], _Server], server: _Server) -> None:
        self._find, self.description = find, server.description
        self._server: _Server | None = server

    def _ask(self, method: str, path: str, question: Any, cancellation: Cancellation, progress: Progress) -> Any:
        patience, recovered = time.monotonic() + busy_seconds, False
        while True:
            server = self._server or self._find(cancellation, progress)
            self._server, self.description = server, server.description
            progress("looking", 0.5)
            try:
                return server.ask(method, path, question, answer_seconds, cancellation)
            except EngineError as error:
                if error.code in gone or error.code == "engine_silent":
                    self._server = None
                if error.code in gone and not recovered:
                    recovered = True
                elif error.code == "busy" and time.monotonic() + error.pause < patience:
                    progress("waiting in line", 0.3)
                    cancellation.check(error.pause)
                else:
                    raise


def connect(
    choice: str = "auto",
    command: Sequence[str] | None = None,
    follow: int | None = None,
    cancellation: Cancellation | None = None,
    progress: Progress | None = None,
) -> Engine:
    """Find the engine or start it; choice: "server", "in-process" or "auto", which prefers a server.

    command: what starts a server; without it $HARMONIZE_ENGINE, the installer's engine.json, `harmonize` on the path or
    this Python. follow: the process with whose end a server started for it leaves. Raises EngineError, Cancelled.
    """
    if choice == "in-process":
        return InProcessEngine()
    find = functools.partial(_found, command, follow)
    try:
        return ServerEngine(find, find(cancellation or Cancellation(), progress or _silent))
    except EngineError as error:
        here = all(importlib.util.find_spec(name) for name in ("harmonize_engine", "model_server", "onnxruntime"))
        if choice == "server" or isinstance(error, Cancelled) or not here:
            raise
        return InProcessEngine(error.message.rstrip("."))


@dataclass(eq=False)
class _Server:
    """A server as its state file describes it, and the connections to it that are free to be used again."""

    host: str
    port: int
    token: str
    version: str
    log: str | None
    health: dict[str, Any] = field(default_factory=lambda: {})
    free: list[http.client.HTTPConnection] = field(default_factory=lambda: [])

    @classmethod
    def read(cls, path: Path) -> _Server | None:
        """Read a state file; one that is half-written, another user's or open to others counts as none."""
        state = _own_document(path, closed_to=0o077) or {}
        kinds = {"host": str, "port": int, "token": str, "version": str}
        if not all(isinstance(state.get(name), kind) for name, kind in kinds.items()):
            return None
        if not (state["token"].isascii() and state["token"].isprintable()):  # or it would break the header
            return None
        return cls(state["host"], state["port"], state["token"], state["version"], state.get("log"))

    def __del__(self) -> None:
        for connection in self.free:
            connection.close()

    @property
    def description(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"server {host}:{self.port}, {self.health['device']['name']}"

    @property
    def protocols(self) -> list[str]:
        """What it speaks; the first engines told one only."""
        told = self.health.get("protocols", [self.health.get("protocol")])
        return [str(name) for name in told] if isinstance(told, list) else []

    @property
    def is_old(self) -> bool:
        return _numbers(self.version) < _numbers(wanted_version)

    def is_well(self, cancellation: Cancellation) -> bool:
        """Whether it answers in time, as a server of ours that is not about to leave."""
        try:
            self.health = self.ask("GET", "/v1/health", None, health_seconds, cancellation)
            return self.health["status"] == "ok" and bool(self.description)
        except Cancelled:
            raise
        except (EngineError, LookupError, TypeError):
            return False

    def ask(self, method: str, path: str, question: Any, seconds: float, cancellation: Cancellation) -> Any:
        """Return the document that answers a question. Raises EngineError, the server's or `engine_gone`, Cancelled."""
        body = None if question is None else json.dumps(question).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        while True:
            used = bool(self.free)
            connection = self.free.pop() if used else http.client.HTTPConnection(self.host, self.port)
            try:
                status, pause, content = _exchange(connection, seconds, cancellation, (method, path, body, headers))
                break
            except (OSError, http.client.HTTPException) as error:
                if not used:  # one that was used before may have been closed because it was long idle
                    message = "The engine ended while it was asked."
                    raise EngineError("engine_gone", message, "Try again.", self.log) from error
        if connection.sock is not None:
            self.free.append(connection)
        told = _document(content)
        if status == 200 and told is not None:
            return told
        told = told or {"code": "bad_answer", "message": f"The engine gave no proper answer (HTTP {status})."}
        error = _complaint({"log": self.log, **told})
        error.pause = max(0.1, float(pause)) if pause and pause.isdigit() else 1.0
        raise error


def _exchange(
    connection: http.client.HTTPConnection, seconds: float, cancellation: Cancellation, request: tuple[Any, ...]
) -> tuple[int, str | None, bytes]:
    """Send and receive, all within the time, and close the connection if that fails."""
    late = time.monotonic() + seconds
    try:
        if connection.sock is None:
            connection.timeout = seconds
            connection.connect()
        line = connection.sock
        assert line is not None
        line.settimeout(seconds)

        def hang_up() -> None:  # wakes the thread that waits for the answer
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

        with cancellation.calling(hang_up, seconds):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # an early refusal is there to be read
                connection.request(*request)
            response = connection.getresponse()
            return response.status, response.getheader("Retry-After"), response.read()
    except (OSError, http.client.HTTPException, Cancelled) as error:
        connection.close()
        cancellation.check()
        if time.monotonic() < late:
            raise
        message = f"The engine did not answer within {seconds:.0f} seconds."
        raise EngineError("engine_silent", message, "Try again: it is started anew if need be.") from error


def _found(command: Sequence[str] | None, follow: int | None, cancellation: Cancellation, progress: Progress) -> _Server:
    """Find a server that is well, understands us and is not older than wanted, or start one."""
    progress("finding the engine", 0.0)
    server = _running(cancellation)
    words = _command(command) if server is None or server.is_old else None
    if words is not None:
        progress("starting the engine", 0.1)
        _start(words, follow, cancellation)
        server = _running(cancellation)
        if server is None:
            raise EngineError("engine_lost", "The engine has started but is not to be found.", "Try again.")
    elif server is None:
        raise EngineError("engine_missing", "The Harmonize engine is not installed.", "Run the Harmonize installer.")
    elif follow is not None:
        with contextlib.suppress(EngineError):  # it has its idle time, too
            server.ask("POST", "/v1/follow", {"pid": follow}, health_seconds, cancellation)
    if not set(protocols) & set(server.protocols):
        message = f"The engine ({server.version}) and this plug-in ({wanted_version}) do not understand each other."
        outdated = "engine" if max(map(_numbers, server.protocols), default=[]) < _numbers(protocols[-1]) else "plug-in"
        raise EngineError("protocol_other", message, f"Update the {outdated} with the newest Harmonize installer.")
    return server


def _running(cancellation: Cancellation) -> _Server | None:
    servers = (_Server.read(folder / "server.json") for folder in runtime_folders(os.environ, sys.platform))
    return next((server for server in servers if server is not None and server.is_well(cancellation)), None)


def _start(words: list[str], follow: int | None, cancellation: Cancellation) -> None:
    """Start the engine and wait for its word that it, or another one, is ready. Raises what it complains of."""
    home = os.path.expanduser("~")
    words = [*words, "--announce", *([] if follow is None else ["--follow", str(follow)])]
    try:
        child = subprocess.Popen(
            _spoken(words) if os.name == "posix" else words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_environment(os.environ),
            cwd=home if os.path.isdir(home) else tempfile.gettempdir(),
            **start_options(sys.platform),
        )
    except OSError as error:
        message = f"{words[0]} could not be started: {error.strerror or error}."
        raise EngineError("engine_not_started", message, repair) from error
    heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(child, heard), daemon=True).start()
    with cancellation.calling(lambda: heard.put(None), start_seconds):
        told = heard.get()
        cancellation.check()
    if told is None:
        child.kill()
        raise EngineError("engine_slow", f"The engine was not ready within {start_seconds:.0f} seconds.", "Try again.")
    if not told.get("ready"):
        raise _complaint(told)


def _spoken(words: Sequence[str]) -> list[bytes]:
    """Encode a command as the system has it: a Python inside Krita may think of file names that they are ASCII."""
    return [word.encode("utf-8", "surrogateescape") for word in words]


def _listen(child: subprocess.Popen[bytes], heard: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    """Pass on what a starting engine announces, then wait for its end, so that no zombie stays."""
    told, said = None, "it said nothing"
    assert child.stdout is not None
    with child.stdout as lines:
        for line in lines:  # what is no announcement is a complaint
            told = _document(line)
            if told is not None:
                break
            said = line.decode(errors="replace").strip() or said
    heard.put(told or {"code": "engine_not_started", "message": f"The engine did not start: {said}", "hint": repair})
    child.wait()


def _complaint(told: dict[str, Any]) -> EngineError:
    code, message, hint = (str(told.get(name, "")) for name in ("code", "message", "hint"))
    return EngineError(code, message, hint, told.get("log"))


def _command(given: Sequence[str] | None) -> list[str] | None:
    """What starts the engine on this machine, if anything does."""
    if given is not None:
        return list(given)
    if program := os.environ.get("HARMONIZE_ENGINE"):
        return _serving(program)
    for folder in data_folders(os.environ, sys.platform):
        words = (_own_document(folder / "engine.json", closed_to=0o002) or {}).get("command")
        if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
            return words
    if program := shutil.which("harmonize"):
        return _serving(program)
    if _is_python(sys.executable) and importlib.util.find_spec("model_server"):  # in a host it may be the host
        return _serving(sys.executable)
    return None


def _serving(program: str) -> list[str]:
    return [program, "-I", "-m", "model_server"] if _is_python(program) else [program, "serve"]


def _is_python(program: str) -> bool:
    return Path(program).stem.lower().startswith("python")


def start_options(platform: str) -> dict[str, Any]:
    """Keep the server apart from this program's terminal and its Ctrl-C, on Windows without a console window."""
    if platform == "win32":
        return {"creationflags": 0x08000000 | 0x00000200}  # CREATE_NO_WINDOW, CREATE_NEW_PROCESS_GROUP
    return {"start_new_session": True}


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would lead the engine to a host's libraries."""
    return {name: value for name, value in environment.items() if not name.upper().startswith(foreign)}


def runtime_folders(environment: Mapping[str, str], platform: str) -> list[Path]:
    """Where a server may have left its state, the likeliest first."""
    if chosen := environment.get("HARMONIZE_RUNTIME_DIR"):
        return [Path(chosen)]
    if platform == "win32":
        return [_local(environment) / "Temp" / "harmonize"]
    home, user, roots = Path.home(), os.geteuid(), list[Path]()
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        roots.append(Path(runtime))
        if flatpak := environment.get("FLATPAK_ID"):
            roots.append(Path(runtime, "app", flatpak))  # what a Flatpak shares with the outside
        if "SNAP" in environment:
            roots.append(Path(runtime).parent)  # a Snap's own lies in the user's
    roots.append(home / "Library/Caches/TemporaryItems" if platform == "darwin" else Path(f"/run/user/{user}"))
    return [root / "harmonize" for root in (*roots, Path(tempfile.gettempdir(), f"runtime-{user}"))]


def data_folders(environment: Mapping[str, str], platform: str) -> list[Path]:
    """Where the installer may have left its engine.json, the likeliest first."""
    if platform == "win32":
        return [_local(environment) / "harmonize"]
    homes = [Path.home(), *(Path(home) for home in [environment.get("SNAP_REAL_HOME")] if home)]
    usual = "Library/Application Support" if platform == "darwin" else ".local/share"
    chosen = environment.get("XDG_DATA_HOME")
    return [root / "harmonize" for root in (*([Path(chosen)] if chosen else []), *(home / usual for home in homes))]


def _local(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData/Local")


def _own_document(path: Path, closed_to: int) -> dict[str, Any] | None:
    """Read a JSON object from a file of this user that is closed to others; None where it is anything else."""
    try:
        # a pipe in its place would hold us, were it not for O_NONBLOCK
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            status = os.fstat(file.fileno())
            foreign_file = os.name == "posix" and (status.st_uid != os.geteuid() or status.st_mode & closed_to)
            return None if foreign_file or not stat.S_ISREG(status.st_mode) else _document(file.read(1 << 16))
    except OSError:
        return None


def _document(content: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def _silent(stage: str, fraction: float) -> None:
    pass
