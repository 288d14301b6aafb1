"""The doctor's rows on the server: a picture sent as the editors send theirs, and the note by which they find it."""

from __future__ import annotations

import json
import os
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from installer import doctor_engine
from installer.machine import Machine
from installer.rows import Row

# Runs in the engine's environment, with the very file that the plug-ins carry
click = """
import json, os, sys, time
from model_server.engine_client import EngineError, Proxy, connect
side = 64
composite = bytes(value for y in range(side) for x in range(side) for value in (4 * x, 4 * y, 255 - 4 * x))
mask = bytes(255 if 16 <= x < 48 and 16 <= y < 48 else 0 for y in range(side) for x in range(side))
try:
    begun = time.perf_counter()
    engine = connect("server", follow=int(sys.argv[1]))
    ready = time.perf_counter()
    answer = engine.harmonize(Proxy(side, side, composite, mask))
    took = f"ready in {ready - begun:.1f} s, answered in {1000 * (time.perf_counter() - ready):.0f} ms"
    print(json.dumps({"found": f"{engine.description}: {took}", "adjustments": len(answer.harmonization["adjustments"])}))
except EngineError as error:
    print(json.dumps({"message": error.message, "hint": error.hint, "log": error.log}))
"""


def asked(machine: Machine, python: Path) -> Row:
    """Send a small picture the way the editors do, which starts a server if none runs; it leaves with this program."""
    told = doctor_engine.said(machine, python, ("-c", click, str(os.getpid())))
    if "found" in told:
        return Row("a click", True, str(told["found"]))
    log = f" Its log is {told['log']}" if told.get("log") else ""
    return Row("a click", False, str(told.get("message")), f"{told.get('hint') or doctor_engine.repair}{log}")


def rows(machine: Machine, version: str | None) -> Iterator[Row]:
    """Look at the notes that servers have left; version: of the installed engine."""
    notes = [folder / "server.json" for folder in machine.runtime_folders if (folder / "server.json").exists()]
    if not notes:
        yield Row("server", True, "does not run; the first click starts it")
    for note in notes:
        trouble = _open_to_others(note.parent, 0o700) or _open_to_others(note, 0o600)
        if trouble is not None:
            yield trouble
            continue
        if os.name == "posix":
            yield Row("token file", True, f"{note} is closed to others")
        yield _server(note, version)


def _open_to_others(path: Path, wanted: int) -> Row | None:
    """Complain of a folder or file that others own or may look into: it holds the key to the server."""
    if os.name != "posix":
        return None
    try:
        found = path.lstat()
    except OSError as error:
        return Row("token file", False, f"{path} cannot be looked at: {error.strerror}", f'Remove "{path}"')
    if found.st_uid != os.geteuid():
        return Row("token file", False, f"{path} belongs to someone else", "Have its owner remove it.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        return Row("token file", False, f"{path} is open to others (mode {mode:o})", f'Close it: chmod {wanted:o} "{path}"')
    return None


def _server(note: Path, version: str | None) -> Row:
    """Ask the server that a note tells of how it is."""
    stop = "The next click replaces it. If not, run: harmonize serve --stop"
    try:
        state = json.loads(note.read_bytes())
        health = _health(state)
    except (OSError, ValueError, LookupError, TypeError):
        return Row("server", False, f"{note} tells of a server that does not answer", stop)
    found = f"{health.get('version')} at {state['host']}:{state['port']}, {health.get('device', {}).get('name')}"
    if health.get("log_problem"):
        return Row("server", False, str(health["log_problem"]), "Mend that; the server works all the same.")
    if version is not None and health.get("version") != version:
        return Row("server", False, f"{found}; installed is {version}", "Run: harmonize serve --stop")
    return Row("server", True, found)


def _health(state: dict[str, Any]) -> dict[str, Any]:
    host = f"[{state['host']}]" if ":" in state["host"] else state["host"]
    request = urllib.request.Request(f"http://{host}:{int(state['port'])}/v1/health")
    request.add_header("Authorization", f"Bearer {state['token']}")
    no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with no_proxy.open(request, timeout=5) as answer:
        health = json.loads(answer.read(1 << 16))
    if not isinstance(health, dict):
        raise ValueError(health)
    return health
