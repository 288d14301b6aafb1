"""How people and programs are told what is going on: sentences, or lines of JSON, or one document of JSON at the end."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

from installer.failure import InstallError

file = re.compile("( *)(Write|Remove) (.+)")
Manner = Literal["sentences", "progress", "document"]


class Voice:
    """Tells what is done as it is done.

    progress: for programs, on standard output, a JSON object a line: {"sentence", "share"}, share 0..1 or null, and at the
    end {"done": true, "sentence", "version"} or {"done": false, "code", "message", "hint", "log"}. document: the
    sentences go to standard error, and what was done is one JSON object on standard output.
    """

    def __init__(self, manner: Manner = "sentences") -> None:
        self.manner = manner
        self._said: list[str] = []
        self._files: list[str] = []  # written or removed, not told yet

    def tell(self, sentence: str, share: float | None = None) -> None:
        """Tell what is being done, and how far all of it is."""
        if self.manner == "progress":
            _print({"sentence": sentence, "share": share})
            return
        if sentence in self._said[-1:]:
            return  # only the share has changed
        self._said.append(sentence)
        if file.match(sentence):
            self._files.append(sentence)
        else:
            self._tell_files()
            self._print(sentence)

    def finish(self, sentence: str, **told: Any) -> None:
        """Tell that all is done."""
        self._tell_files()
        if self.manner == "sentences":
            _print(sentence)
        else:
            did = {"did": self._said} if self.manner == "document" else {}
            _print({"done": True, "sentence": sentence, **told, **did})

    def fail(self, error: InstallError, log: str | None = None) -> None:
        """Tell in one line why it was not done."""
        self._tell_files()
        message = " ".join(error.message.split())
        hint = " ".join(error.hint.split())
        if self.manner != "sentences":
            _print({"done": False, "code": error.code, "message": message, "hint": hint, "log": log})
        if self.manner != "progress":
            _print(f"harmonize: error [{error.code}]: {message} {hint}".rstrip(), sys.stderr)

    def ask(self, question: str) -> bool:
        """Ask whoever sits at the terminal; Enter means yes."""
        self._tell_files()
        try:
            return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")
        except EOFError:
            return False

    def _tell_files(self) -> None:
        for sentence in summary(self._files):
            self._print(sentence)
        self._files.clear()

    def _print(self, sentence: str) -> None:
        _print(sentence, sys.stderr if self.manner == "document" else sys.stdout)

    @property
    def can_ask(self) -> bool:
        """Whether somebody sits at the terminal."""
        return self.manner == "sentences" and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def summary(sentences: Sequence[str]) -> list[str]:
    """Put sentences on single files of one folder into one."""
    told: dict[tuple[str, str], list[str]] = {}
    for sentence in sentences:
        found = file.match(sentence)
        indent, act, path = found.groups() if found else ("", "", sentence)
        folder = str(Path(path).parent) if found else sentence
        told.setdefault((indent + act, folder), []).append(sentence)
    way = {"Write": "into", "Remove": "from"}
    return [
        alike[0] if len(alike) == 1 else f"{act} {len(alike)} files {way[act.strip()]} {folder}"
        for (act, folder), alike in told.items()
    ]


def _print(told: object, stream: TextIO | None = None) -> None:
    line = told if isinstance(told, str) else json.dumps(told)
    with contextlib.suppress(OSError, ValueError):  # whoever started us may be gone already
        print(line, file=stream or sys.stdout, flush=True)
