"""Everything that can be wrong between a click in Krita or GIMP and its layers, one row each, with what to do."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from installer import doctor_engine, doctor_server, editors, plugins, report
from installer import engine as engines
from installer.changes import Changes
from installer.editors import Editor
from installer.failure import InstallError, explaining
from installer.machine import Machine
from installer.payload import Payload
from installer.rows import Row

again = "Run: harmonize install"


def rows(machine: Machine, payload: Payload | None, inside: Iterable[Row] | None = None) -> Iterator[Row]:
    """Examine a machine; inside: what the engine says of itself, where it is the engine that asks."""
    yield from doctor_engine.rows(machine, needed=inside is None)
    installed = _installed(machine)
    if inside is not None:
        yield from inside
    elif installed is not None and installed.healthy:
        yield from doctor_engine.inside(machine, installed.python)
    if installed is not None and installed.healthy:
        yield doctor_server.asked(machine, installed.python)
    yield from doctor_server.rows(machine, None if installed is None else installed.version)
    yield from _editors(machine, payload, None if installed is None else installed.version)
    yield from _surroundings(machine)


def lines(row: Row) -> list[str]:
    """Lay out a row of the table, what to do below it."""
    first = f"{'ok' if row.ok else 'PROBLEM':<8} {row.what:<22} {row.found}".rstrip()
    return [first, f"{'':<8} {'':<22} {row.todo}"] if row.todo else [first]


def examine(
    machine: Machine,
    payload: Payload | None,
    chosen: argparse.Namespace,
    inside: Iterable[Row] | None = None,
    version: str = "",
) -> None:
    """Print the table of a machine and write its report; inside, version: as `rows` and `tell` take them.

    Raises InstallError `problems_found`.
    """
    tell(rows(machine, payload, inside), machine, chosen, version or (payload.version if payload else "?"))


def tell(found: Iterable[Row], machine: Machine, chosen: argparse.Namespace, version: str) -> None:
    """Print rows as they come, as JSON at the end, and write a report, as was chosen. Raises InstallError."""
    told: list[Row] = []
    for row in found:
        told.append(row)
        if not chosen.json:
            print("\n".join(lines(row)), flush=True)
    problems = sum(not row.ok for row in told)
    if chosen.json:
        print(json.dumps({"version": version, "ok": not problems, "checks": [vars(row) for row in told]}, indent=1))
    if chosen.report is not None:
        table = [line for row in told for line in lines(row)]
        content = report.text(version, machine, table, report.logs(machine))
        with explaining(chosen.report):
            chosen.report.write_text(content, encoding="utf-8")
        print(f"The report is in {chosen.report}", file=sys.stderr if chosen.json else sys.stdout)
    if problems:
        plural = "s" if problems > 1 else ""
        raise InstallError("problems_found", f"Found {problems} problem{plural}.", "What to do stands in each row.")


def payload(machine: Machine) -> Payload | None:
    """What this installer carries, or the one that is kept on the machine; None where there is none."""
    for find in (Payload.mine, lambda: Payload.of(machine.data / "harmonize-install.pyz")):
        with suppress(InstallError, OSError):
            return find()
    return None


def _installed(machine: Machine) -> engines.Installed | None:
    try:
        return engines.installed(machine)
    except InstallError:  # its row has told
        return None


def _editors(machine: Machine, payload: Payload | None, version: str | None) -> Iterator[Row]:
    """Tell each editor and its plug-in, as that editor will see it. One that was never wanted there is no problem."""
    found = one_for_each_folder(editors.find(machine))
    if not found:
        yield Row("editors", True, "neither Krita nor GIMP was found", f"Install one of them. {again}")
    placed = Changes(machine).placed()
    for editor in found:
        if not (_carried(editor) or any(path.is_relative_to(editor.plugins) for path in placed)):
            todo = editor.blocked or f"To have it there, run: harmonize install --editor {editor.kind}"
            yield Row(editor.name, True, "without Harmonize", todo)
            continue
        matching = None if version is None else _matching(editor, version)
        if matching is not None:
            yield matching
        if payload is not None and (matching is None or matching.ok):
            yield from plugins.inspect(editor, payload)


def one_for_each_folder(found: list[Editor]) -> list[Editor]:
    """Leave out editors that share their plug-ins with another one, as two versions of Krita do."""
    return [editor for place, editor in enumerate(found) if editor.plugins not in [e.plugins for e in found[:place]]]


def _carried(editor: Editor) -> Path | None:
    """Find the file by which an editor's plug-in finds the engine; it knows its own version."""
    names = ("harmonize_krita/engine_client.py", "harmonize/engine_client.py")
    return next((editor.plugins / name for name in names if (editor.plugins / name).is_file()), None)


def _matching(editor: Editor, version: str) -> Row:
    """Compare the versions of plug-in and engine, which may differ as long as they speak one protocol."""
    carried = _carried(editor)
    text = carried.read_text(encoding="utf-8", errors="replace") if carried else ""
    told = re.search(r'^wanted_version = "([^"]+)"', text, re.MULTILINE)
    what = f"{editor.name}: version"
    if not told:
        return Row(what, False, "the plug-in does not tell its version", again)
    if told[1] == version:
        return Row(what, True, f"plug-in and engine are both {version}, in {editor.plugins}")
    older, newest = ("plug-in", version) if numbers(told[1]) < numbers(version) else ("engine", told[1])
    todo = f"Update the {older}: run harmonize-install.pyz of Harmonize {newest} or newer."
    return Row(what, False, f"plug-in {told[1]}, engine {version}", todo)


def _surroundings(machine: Machine) -> Iterator[Row]:
    """Tell what the user or other programs have set up around Harmonize."""
    chosen = machine.environment.get("HARMONIZE_ENGINE")
    if chosen:
        there = shutil.which(chosen) is not None
        todo = "" if there else "Unset HARMONIZE_ENGINE: the installed engine is then used."
        yield Row("HARMONIZE_ENGINE", there, f"{chosen} is used instead of the installed engine", todo)
    folder = next(path for path in (machine.data, *machine.data.parents) if path.exists())
    if not os.access(folder, os.W_OK):
        yield Row("data folder", False, f"{folder} cannot be written to", "Give yourself the right to write there.")
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    fine = free > 100 << 20
    yield Row("free disk", fine, f"{free / 1e9:.1f} GB at {folder}", "" if fine else "Free some space.")


def numbers(version: str) -> list[int]:
    """Make versions comparable."""
    return [int(number) for number in re.findall(r"\d+", version)[:3]]
