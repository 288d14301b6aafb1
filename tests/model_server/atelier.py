"""A machine with an engine installed, which real processes start."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.model_server.processes import limit, root

slow_look = """
from model_server.shelf import Shelf
look = Shelf.harmonize_all
def slow_look(shelf, model, composites):
    if os.path.exists("slow"):
        open("looking", "w").close()
        time.sleep(60)
    return look(shelf, model, composites)
Shelf.harmonize_all = slow_look
"""


class Atelier:
    """A machine with an engine installed, in a place that takes some quoting."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = folder / "run"
        program = folder / "harmonize.py"
        program.write_text(
            f"import os, sys, time\nos.chdir({str(folder)!r})\nsys.path.insert(0, {str(root)!r})\n{slow_look}\n"
            "from harmonize_engine.cli.main import main\nsys.exit(main(['serve', *sys.argv[1:]]))\n",
            encoding="utf-8",
        )
        self.command = [sys.executable, "-I", str(program)]

    @property
    def state(self) -> dict[str, Any]:
        return json.loads((self.runtime / "server.json").read_bytes())

    def kill(self) -> None:
        """As the kernel does when memory runs out: the state stays."""
        server = psutil.Process(self.state["pid"])
        server.kill()
        with contextlib.suppress(psutil.NoSuchProcess):
            server.wait(limit)
        assert self.state["pid"] == server.pid


def servers(atelier: Atelier) -> list[psutil.Process]:
    """Every process that runs the atelier's engine."""
    found = psutil.process_iter(["cmdline", "status"])
    return [one for one in found if atelier.command[-1] in (one.info["cmdline"] or [])]


@contextlib.contextmanager
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Atelier]:
    folder = tmp_path / "Müllers $HOME; 'Öl' & \"Sons\"" if os.name == "posix" else tmp_path / "Müllers Öl & Sons"
    folder.mkdir()
    monkeypatch.setenv("HARMONIZE_RUNTIME_DIR", str(folder / "run"))
    monkeypatch.setenv("HARMONIZE_LOG_DIR", str(folder / "log"))
    atelier = Atelier(folder)
    yield atelier
    for server in servers(atelier):
        with contextlib.suppress(psutil.NoSuchProcess):
            server.kill()
            server.wait(limit)


def alone(atelier: Atelier) -> bool:
    """Whether the server of the state is all that runs, with no starter and no zombie beside it."""
    return [server.pid for server in servers(atelier)] == [atelier.state["pid"]] and not zombies()


def zombies() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE]
