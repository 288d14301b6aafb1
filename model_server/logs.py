"""The server's log: small, rotating, for its user's eyes only, and never a reason for a request to fail."""

import logging
import os
import re
import stat
import sys
import time
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Any

import platformdirs

megabyte = 1 << 20
longest_line = 1000  # characters; what is longer is cut
picture = re.compile(r"[A-Za-z0-9+/=_-]{200,}")  # in base64, or some other thing that nobody wants to read


def path() -> Path:
    """Name the log file, in $HARMONIZE_LOG_DIR or the user's folder of logs."""
    chosen = os.environ.get("HARMONIZE_LOG_DIR")
    folder = Path(chosen).absolute() if chosen else platformdirs.user_log_path("harmonize", appauthor=False)
    return folder / "server.log"


class Log(RotatingFileHandler):
    """Writes server.log and two older ones, 1 MB each. `problem` says in a sentence why it cannot, None while it can."""

    def __init__(self, log_path: Path, secret: str, most: int = megabyte) -> None:
        super().__init__(log_path, maxBytes=most, backupCount=2, encoding="utf-8", delay=True)
        self.problem: str | None = None
        self._failed = False
        self.setFormatter(_Discreet(secret))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; a failure is kept in `problem` and ends nothing."""
        self._failed = False
        try:
            self._follow_path()
        except OSError:
            self.handleError(record)
        else:
            super().emit(record)
        if not self._failed:
            self.problem = None

    def handleError(self, record: logging.LogRecord) -> None:
        """Keep what went wrong."""
        error = sys.exception()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else repr(error)
        self.problem = f"The log {self.baseFilename} cannot be written: {reason}."
        self._failed = True
        self._drop()

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        stream = open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=_private)  # noqa: SIM115
        if hasattr(os, "fchmod") and stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            os.fchmod(stream.fileno(), 0o600)  # of an older log that was more open
        return stream

    def _follow_path(self) -> None:
        """Open the log anew where somebody has deleted or moved it."""
        stream: IO[Any] | None = self.stream
        if stream is None:
            return
        try:
            same = os.path.samestat(os.fstat(stream.fileno()), os.stat(self.baseFilename))
        except FileNotFoundError:
            same = False
        if not same:
            self._drop()

    def _drop(self) -> None:
        stream: IO[Any] | None = self.stream
        self.stream = None  # type: ignore[assignment]  # the next record opens it again
        if stream is not None:
            with suppress(OSError):  # what it still held cannot be written, as the problem says
                stream.close()


class _Discreet(logging.Formatter):
    """A line for a record, in which the token, line breaks and terminal commands of strangers never stand."""

    converter = time.gmtime

    def __init__(self, secret: str) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self._secret = secret

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Write the record without its traceback, as one line."""
        return _printable(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Write the record and its traceback."""
        text = picture.sub("[...]", super().format(record).replace(self._secret, "[token]"))
        return "\n".join(_shortened(_printable(line)) for line in text.split("\n"))


def start(log_path: Path, secret: str) -> Log:
    """Send what this process logs, from INFO up, to the log file."""
    log = Log(log_path, secret)
    root = logging.getLogger()
    root.addHandler(log)
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # of its own coming and going
    logging.captureWarnings(True)
    return log


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _shortened(line: str) -> str:
    return line if len(line) <= longest_line else f"{line[:longest_line]}... ({len(line)} characters)"
