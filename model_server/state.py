"""Where the running server can be found: a file that its user alone can read, in the user's runtime folder."""

import json
import os
import stat
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import platformdirs

from harmonize_engine.errors import HarmonizeError

filename, lockname = "server.json", "server.lock"
largest = 64 << 10  # bytes of a state file; a real one has 300
loopback_of = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # where a server that listens everywhere is found from here


@dataclass(frozen=True)
class State:
    """How to reach a server that answers, and which process it is. started: seconds since 1970."""

    host: str
    port: int
    token: str
    pid: int
    version: str
    started: float
    log: str

    @property
    def address(self) -> str:
        """Host and port as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"http://{self.address}"


def folder() -> Path:
    """Name the runtime folder, $HARMONIZE_RUNTIME_DIR or the one usual here, and see to it that it is the user's alone.

    Raises HarmonizeError `runtime_folder_refused` (someone else's, or open to others) or `runtime_folder_missing`.
    """
    path = _place()
    try:
        for new in reversed([parent for parent in (path, *path.parents) if not parent.exists()]):
            new.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        reason = error.strerror or error
        raise HarmonizeError(
            "runtime_folder_missing", f"The folder {path} could not be made: {reason}.", _another_folder
        ) from error
    if not stat.S_ISDIR(found.st_mode):
        raise HarmonizeError("runtime_folder_refused", f"{path} is not a folder.", _another_folder)
    _refuse_others(found, path, "runtime_folder_refused", f"The folder {path}")
    return path


def location() -> Path:
    """Name the state file, whether there is one or not."""
    return _place() / filename


def read() -> State | None:
    """Tell where the server was last found, None if nowhere. Makes no folder, and does not ask whether it still lives.

    Raises HarmonizeError `state_refused` for a file of someone else or open to others, `runtime_folder_refused` likewise.
    """
    path = _place() / filename
    if not os.path.isdir(path.parent):
        return None
    path = folder() / filename
    try:
        # without O_NONBLOCK a pipe in its place would hold us
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            found = os.fstat(file.fileno())
            _refuse_others(found, path, "state_refused", f"The file {path}")
            content = file.read(largest) if stat.S_ISREG(found.st_mode) else b""
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HarmonizeError(
            "state_refused", f"The file {path} could not be read: {error.strerror or error}.", f"Delete {path}."
        ) from error
    return _understood(content)


def write(state: State) -> None:
    """Write the state, whole or not at all. Only for who holds the lock. Raises HarmonizeError `state_not_written`."""
    path = folder() / filename
    partial = path.with_name(f"{filename}.partial")
    try:
        partial.unlink(missing_ok=True)  # of a server that was killed while writing
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(state), file)
        _insist(lambda: partial.replace(path))
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise HarmonizeError(
            "state_not_written",
            f"{path} could not be written: {error.strerror or error}.",
            "Free some space, or name another folder in HARMONIZE_RUNTIME_DIR.",
        ) from error


def clear() -> None:
    """Remove whatever state a server has left. Only for who holds the lock. Raises HarmonizeError `state_refused`."""
    for name in (filename, f"{filename}.partial"):
        path = folder() / name
        try:
            _insist(lambda path=path: path.unlink(missing_ok=True))
        except OSError as error:
            raise HarmonizeError(
                "state_refused", f"{path} is in the way: {error.strerror or error}.", f"Delete {path}."
            ) from error


_another_folder = "Name a folder that is yours alone in HARMONIZE_RUNTIME_DIR."


def _place() -> Path:
    chosen = os.environ.get("HARMONIZE_RUNTIME_DIR")
    if chosen:
        return Path(chosen).absolute()
    try:
        with warnings.catch_warnings():  # of an XDG_RUNTIME_DIR that is not set: another folder is used, just as well
            warnings.simplefilter("ignore")
            return platformdirs.user_runtime_path("harmonize", appauthor=False)
    except OSError as error:
        message = f"There is no safe runtime folder: {error}."
        raise HarmonizeError("runtime_folder_refused", message, _another_folder) from error


def _insist(change: Callable[[], object]) -> None:
    """Change a file, and try again for a moment: Windows refuses it while somebody reads."""
    for _ in range(10):
        with suppress(PermissionError):
            change()
            return
        time.sleep(0.02)
    change()


def _refuse_others(found: os.stat_result, path: Path, code: str, subject: str) -> None:
    if os.name == "nt":
        return  # the folders there are the user's own by their access lists, and mode bits say nothing
    if found.st_uid != os.geteuid():
        raise HarmonizeError(code, f"{subject} belongs to someone else.", _another_folder)
    if stat.S_IMODE(found.st_mode) & 0o077:
        repair = f"Close it with: chmod go= {path}"
        raise HarmonizeError(code, f"{subject} is open to others.", repair)


def _understood(content: bytes) -> State | None:
    kinds: dict[str, Any] = {"port": int, "pid": int, "started": (int, float)}  # the others: str
    try:
        known = json.loads(content)
        state = State(**{field.name: known[field.name] for field in fields(State)})  # a newer server may tell more
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    well_formed = all(type(value) in (int, float, str) for value in asdict(state).values()) and all(
        isinstance(value, kinds.get(name, str)) for name, value in asdict(state).items()
    )
    return state if well_formed and 0 < state.port < 65536 and state.pid > 0 else None
