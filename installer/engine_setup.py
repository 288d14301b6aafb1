# SPDX-License-Identifier: Apache-2.0
# Part of Harmonize. The plug-ins carry copies of this file; it is edited in installer/ only.
"""Setting up the engine from inside an editor, with nothing but the standard library (Python 3.10 to 3.14).

The plug-in's zip brings harmonize-install.pyz along. A Python of the machine runs it; if that Python is not fit for the
engine, the installer finds or fetches one that is.

    archive = find_archive(here, data_folders)
    if archive is not None and is_offered(error.code, error.hint):
        setup = EngineSetup(archive, clean_environment(os.environ), progress, ended)
        setup.start()  # and setup.cancel(); progress and ended are called in a thread
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

archive_name = "harmonize-install.pyz"
mended = ("engine_missing", "engine_not_started")  # what a set-up mends, besides an engine that is too old
probe = "import sys; sys.exit(sys.version_info < (3, 8))"  # the installer explains itself to any such Python
probe_seconds, kill_seconds = 20.0, 5.0
quiet = 0x08000000 if sys.platform == "win32" else 0  # CREATE_NO_WINDOW: no console flashes up
no_python = "No Python was found on this computer, and the engine needs one."
no_python_hint = "Install Python 3.13 from python.org, then press the button again."


@dataclass(frozen=True)
class Failure:
    """Why there is no engine: what is wrong, what to do, and the log file that says more, if any."""

    message: str
    hint: str = ""
    log: str | None = None


cancelled = Failure("Cancelled.", "What was downloaded is kept for the next time.")


def is_offered(code: str, hint: str) -> bool:
    """Whether an EngineError is one that setting up the engine mends."""
    return code in mended or (code == "protocol_other" and "the engine" in hint)


def find_archive(plugin: Path, data_folders: Iterable[Path]) -> Path | None:
    """The installer beside the plug-in, from its zip, or the one that an earlier set-up has kept."""
    folders = (plugin, *data_folders)
    return next((path for folder in folders if (path := folder / archive_name).is_file()), None)


def command(archive: Path, platform: str = sys.platform) -> str:
    """What to type to set up the engine by hand. Krita's Python may know the path's accents as bytes only."""
    shown = os.fsencode(archive).decode(errors="replace")
    return f'{"py -3" if platform == "win32" else "python3"} "{shown}" install --no-editors'


class EngineSetup:
    """One run of the installer. progress: a sentence, and how far all of it is, 0..1 or None. ended: None or a Failure."""

    def __init__(
        self,
        archive: Path,
        environment: Mapping[str, str],
        progress: Callable[[str, float | None], None],
        ended: Callable[[Failure | None], None],
    ) -> None:
        self._archive, self._environment = archive, dict(environment)
        self._progress, self._ended = progress, ended
        self._lock, self._cancelled = threading.Lock(), False
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, in a thread. The installer goes on when the editor is closed: the engine is there the next time."""
        threading.Thread(target=self._run, daemon=True).start()

    def cancel(self) -> None:
        """End it soon, with all it has started; `ended` comes all the same."""
        with self._lock:
            self._cancelled = True
            child = self._child
        if child is not None:
            threading.Thread(target=_end, args=(child,), daemon=True).start()

    def _run(self) -> None:
        try:
            failure = self._installed()
        except Exception as error:  # a thread must not die without a word
            failure = Failure(f"The installer could not be run: {error}.", f"Try in a terminal: {command(self._archive)}")
        self._ended(cancelled if self._cancelled else failure)

    def _installed(self) -> Failure | None:
        """Run the installer to its end."""
        self._progress("Looking for a Python", None)
        words = next(_pythons(self._environment), None)
        if words is None:
            return Failure(no_python, no_python_hint)
        with self._lock:
            if self._cancelled:
                return cancelled
            self._child = child = subprocess.Popen(
                [*words, str(self._archive), "install", "--no-editors", "--yes", "--progress", "json"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=str(Path.home()),
                start_new_session=sys.platform != "win32",  # a group of processes, which can be ended as a whole
                creationflags=quiet,
            )
        told, said = self._listen(child)
        status = child.wait()
        if told.get("done") and status == 0:
            return None
        if "message" in told:
            return Failure(str(told["message"]), str(told.get("hint") or ""), told.get("log"))
        reason = said.rstrip(".") or f"exit status {status}"
        return Failure(f"The installer stopped: {reason}.", "Try again: it goes on where it was.")

    def _listen(self, child: subprocess.Popen[bytes]) -> tuple[dict[str, Any], str]:
        """Pass its sentences on; returns how it says that it ended, and the last line that was no JSON."""
        told: dict[str, Any] = {}
        said = ""
        assert child.stdout is not None
        with child.stdout as lines:
            for line in lines:
                try:
                    heard = json.loads(line)
                except ValueError:
                    heard = None
                if not isinstance(heard, dict):
                    said = line.decode(errors="replace").strip() or said
                elif "done" in heard:
                    told = heard
                elif "sentence" in heard:
                    self._progress(str(heard["sentence"]), heard.get("share"))
        return told, said


def _pythons(environment: Mapping[str, str]) -> Iterator[list[str]]:
    """What runs a Python here, uv last; each is asked first whether it really is one."""
    path = _path(environment)
    named = [f"python3.{minor}" for minor in (13, 12, 14, 11)] + ["python3", "python"]
    found = [[program] for name in named if (program := shutil.which(name, path=path))]
    if launcher := shutil.which("py", path=path) if sys.platform == "win32" else None:
        found.insert(0, [launcher, "-3"])
    if Path(sys.executable or "").stem.lower().startswith("python"):  # inside Krita it is Krita
        found.append([sys.executable])
    for words in found:
        if not _is_bait(Path(words[0])) and _answers([*words, "-I", "-c", probe], environment):
            yield words
    uv = shutil.which("uv", path=path)
    if uv is not None:
        yield [uv, "run", "--no-project", "--python", "3.13"]


def _path(environment: Mapping[str, str]) -> str:
    """The PATH without an AppImage's own folders, and with those that a program with a window is often not told of."""
    mount = environment.get("APPDIR")
    folders = [folder for folder in environment.get("PATH", os.defpath).split(os.pathsep) if folder]
    usual = [str(Path.home() / folder / "bin") for folder in (".local", ".cargo")]
    if sys.platform == "darwin":
        usual += ["/opt/homebrew/bin", "/usr/local/bin", "/Library/Frameworks/Python.framework/Versions/Current/bin"]
    return os.pathsep.join(folder for folder in (*folders, *usual) if not (mount and folder.startswith(mount)))


def _is_bait(program: Path) -> bool:
    """Whether it would open a window that offers to install developers' tools, as on a new Mac."""
    return sys.platform == "darwin" and program.parent == Path("/usr/bin") and not _has_developer_tools()


def _has_developer_tools() -> bool:
    return subprocess.run(["xcode-select", "-p"], capture_output=True, check=False).returncode == 0


def _answers(words: Sequence[str], environment: Mapping[str, str]) -> bool:
    try:
        ended = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            timeout=probe_seconds,
            check=False,
            creationflags=quiet,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return ended.returncode == 0


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a program and what it has started: politely, then not."""
    if sys.platform == "win32":
        words = ["taskkill", "/T", "/F", "/PID", str(child.pid)]
        subprocess.run(words, capture_output=True, check=False, creationflags=quiet)
        return
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(OSError):
            os.killpg(child.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(kill_seconds)
            if how == signal.SIGKILL:
                return
