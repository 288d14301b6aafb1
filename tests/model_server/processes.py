"""Real servers with a home of their own, for tests of the life-cycle. Nothing of them outlives the test."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.model_server.proxies import question, scene

root = Path(__file__).parents[2]
limit = 60.0  # seconds for anything to happen; on an idle machine all of it takes one

# lines of Python that a server can be started with
version = "import harmonize_engine; harmonize_engine.__version__ = {!r}"
hasty = "from model_server import neighbour; neighbour.longest_change = 1"
impatient = "from model_server import neighbour; neighbour.patience = 0.5"
short_drain = """
from functools import partial
from model_server import life
life.Limits = partial(life.Limits, drain_seconds=0.5)
"""
brisk = """
from model_server import life
life.tick = 0.1
"""
slow_look = """
import time
from pathlib import Path
from model_server.shelf import Shelf
look = Shelf.harmonize_all
def slow_look(*arguments):
    if Path("test/asked").exists():
        Path("test/looking").touch()
        while not Path("test/go").exists():
            time.sleep(0.01)
    return look(*arguments)
Shelf.harmonize_all = slow_look
"""


def wait_until(happened: Callable[[], Any], seconds: float = limit) -> Any:
    """Wait for something, and return what it is."""
    until = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < until, "it has not happened"
        time.sleep(0.02)
    return found


def hear_interrupts() -> None:
    """A shell has what it runs in the background ignore Ctrl-C, and so do all it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Home:
    """A user's folders, and the processes started by the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime, self.log, self.temporary = folder / "run", folder / "log" / "server.log", folder / "tmp"
        self.temporary.mkdir()
        (folder / "test").mkdir()  # where the test and its servers leave each other signs
        self.state_file = self.runtime / "server.json"
        # ONNX Runtime reports home, and leaves files, unless told not to, but not where it sees a CI machine
        ours = ("HARMONIZE_", "PYTHON", "ORT_", "CI", "GITHUB_", "XDG_CACHE_HOME")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment = kept | {
            "HARMONIZE_RUNTIME_DIR": str(self.runtime),
            "HARMONIZE_LOG_DIR": str(self.log.parent),
            "TMPDIR": str(self.temporary),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PYTHONPATH": str(root),
        }
        self.processes: list[subprocess.Popen[str]] = []

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with suppress(BrokenPipeError):  # of what was still to be written
                        stream.close()

    def run(self, command: list[str], **settings: Any) -> subprocess.Popen[str]:
        """Start a process; without other settings its outputs are pipes."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        settings = (
            {"env": self.environment, "cwd": self.folder, "text": True, "preexec_fn": hear_interrupts} | pipes | settings
        )
        process = subprocess.Popen(command, **settings)
        self.processes.append(process)
        return process

    def start(self, *words: str, before: str = "", **settings: Any) -> subprocess.Popen[str]:
        """Start `harmonize serve WORDS`, after some lines of Python that change what the test is about."""
        script = (
            f"import sys\n{before}\nfrom harmonize_engine.cli.main import main\nsys.exit(main(['serve', *sys.argv[1:]]))"
        )
        command = [sys.executable, "-c", script] if before else [sys.executable, "-m", "model_server"]
        return self.run([*command, *words], **settings)

    def serve(self, *words: str, before: str = "") -> subprocess.Popen[str]:
        """Start a server and wait until it is ready."""
        process = self.start("--announce", *words, before=before)
        assert announced(process) == {"ready": True, "attached": False}
        return process

    def call(self, *words: str, before: str = "") -> tuple[int, str, str]:
        """Run `harmonize serve WORDS` to its end: exit status, output, errors."""
        process = self.start(*words, before=before)
        output, errors = process.communicate(timeout=limit)
        return process.returncode, output, errors

    def bystander(self) -> subprocess.Popen[str]:
        """Start a program that has nothing to do with all this, and stays."""
        process = self.run([sys.executable, "-c", "print(1, flush=True); input()"], stdin=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline() == "1\n"
        return process

    @property
    def state(self) -> dict[str, Any]:
        return json.loads(self.state_file.read_text())

    def ask(self, method: str, path: str, content: object = None) -> tuple[int, dict[str, Any]]:
        """Ask the server that the state names."""
        state = self.state
        connection = http.client.HTTPConnection(state["host"], state["port"], timeout=limit)
        try:
            headers = {"Authorization": f"Bearer {state['token']}", "Content-Type": "application/json"}
            connection.request(method, path, None if content is None else json.dumps(content), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def health(self) -> dict[str, Any]:
        status, told = self.ask("GET", "/v1/health")
        assert status == 200
        return told

    def left(self) -> set[str]:
        """Everything there is in the home but the log, the test's own files and the lock, which stays."""
        files = {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}
        return {name for name in files if not name.startswith(("log/", "test/"))} - {"run/server.lock"}


def announced(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Read the line that a server announces itself with."""
    assert process.stdout is not None
    with watched(process):
        line = process.stdout.readline()
    assert line, f"nothing was announced, but: {process.stderr and process.stderr.read()}"
    return json.loads(line)


@contextmanager
def watched(process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill a process that its outputs are awaited from for too long."""
    clock = threading.Timer(limit, process.kill)
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def ended(process: subprocess.Popen[str]) -> int:
    """Wait for the end of a process, and return its exit status."""
    return process.wait(timeout=limit)


class Asking:
    """A request on its way, to a server that looks slowly."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.answer: Any = None
        (home.folder / "test/asked").touch()
        self.thread = threading.Thread(target=self._ask)
        self.thread.start()
        wait_until((home.folder / "test/looking").exists)

    def _ask(self) -> None:
        try:
            self.answer = self.home.ask("POST", "/v1/harmonize", question(*scene()))
        except (OSError, http.client.HTTPException) as error:
            self.answer = error

    def go(self) -> None:
        (self.home.folder / "test/go").touch()

    def answered(self) -> Any:
        self.thread.join(60)
        return self.answer
