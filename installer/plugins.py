"""The plug-in in an editor: put there, taken away, and looked at as the editor will see it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from installer import kritarc
from installer.changes import Changes
from installer.editors import Editor
from installer.failure import InstallError, explaining, patiently
from installer.payload import Payload
from installer.rows import Row
from installer.writing import read

folders = {"krita": "harmonize_krita", "gimp": "harmonize"}
program = "harmonize/harmonize.py"  # GIMP runs it: it is named like its folder, and executable
mark = b"Part of Harmonize."
repair = "Run: harmonize repair"


def place(editor: Editor, payload: Payload, changes: Changes) -> list[str]:
    """Put the plug-in where the editor looks for it and switch it on; returns what the user should know.

    A copy that came there otherwise, as from the zip, is taken over. Raises InstallError.
    """
    if editor.blocked:
        return [editor.blocked]
    folder, files = editor.plugins / folders[editor.kind], _files(editor, payload)
    if not _is_ours(folder, changes):
        message = f"{folder} holds another plug-in of the same name."
        raise InstallError("not_ours", message, "Move it away, then try again.")
    told, before = set_aside(changes, editor), len(changes.told)
    recorded = set(changes.placed())  # of these, what is replaced goes first: a killed run must not take it for the user's
    outdated = [path for path in recorded if path in files and read(path) not in (None, files[path])]
    _remove([*outdated, *(path for path in _there(editor, changes) if path not in files)], changes)
    for path, content in files.items():
        changes.write(path, content, _mode(editor, path), adopt=True)
    if editor.kind == "krita" and editor.settings is not None:
        changes.set_line(editor.settings, kritarc.section, kritarc.key, "true")
    if len(changes.told) > before:
        told.append(f"If {editor.name} is open, close it and start it again.")
    return told


def remove(editor: Editor, changes: Changes) -> list[str]:
    """Take the plug-in out of an editor, whoever put it there; returns what the user should know. Raises InstallError."""
    if not _is_ours(editor.plugins / folders[editor.kind], changes):
        return []
    told = set_aside(changes, editor)
    _remove(_there(editor, changes), changes)
    if not changes.dry:
        _remove_empty(editor.plugins / folders[editor.kind])
    if editor.settings is not None:
        changes.remove(editor.settings)
    return told


def set_aside(changes: Changes, editor: Editor | None = None) -> list[str]:
    """Rename files of ours that the user has changed, in an editor or anywhere, so that nothing overwrites them."""
    told: list[str] = []
    for path in changes.spoilt():
        if not path.exists() or (editor is not None and not _belongs(path, editor)):
            continue
        aside = next(free for number in range(1, 1000) if not (free := _aside(path, number)).exists())
        told.append(f"You have changed {path}: your version is kept as {aside.name}.")
        if not changes.dry:
            with explaining(path):
                patiently(lambda path=path, aside=aside: os.replace(path, aside))
    return told


def inspect(editor: Editor, payload: Payload) -> list[Row]:
    """Look at the plug-in as the editor will see it."""
    if editor.blocked:
        return [Row(editor.name, editor.is_too_old, editor.blocked)]
    found, todo = next(_problems(editor, payload), (f"has Harmonize {payload.version}", ""))
    rows = [Row(editor.name, not todo, found, todo)]
    if editor.sandboxed is not None and not todo:
        rows.append(_sandbox(editor))
    return rows


def _files(editor: Editor, payload: Payload) -> dict[Path, bytes]:
    """The plug-in's files and where they belong; Krita looks for the shortcut beside its plug-ins."""
    files = payload.plugin(editor.kind)
    beside = editor.plugins.parent / "actions"
    return {(beside if name.endswith(".action") else editor.plugins) / name: content for name, content in files.items()}


def _mode(editor: Editor, path: Path) -> int:
    return 0o755 if path == editor.plugins / program else 0o644


def _belongs(path: Path, editor: Editor) -> bool:
    """Whether a path is one of the plug-in's, and none of another plug-in's."""
    name = folders[editor.kind]
    single = (editor.plugins / f"{name}.desktop", editor.plugins.parent / "actions" / f"{name}.action")
    return path.is_relative_to(editor.plugins / name) or (editor.kind == "krita" and path in single)


def _is_ours(folder: Path, changes: Changes) -> bool:
    """Whether a folder is free for the plug-in or holds a Harmonize, from us, from the zip or from another version."""
    if not folder.is_dir() or not any(path.name != "__pycache__" for path in folder.iterdir()):
        return True
    return bool(changes.placed(folder)) or mark in (read(folder / "engine_client.py") or b"")


def _there(editor: Editor, changes: Changes) -> list[Path]:
    """The plug-in's files that are there: those that we placed, and those that a zip or GIMP's update has brought."""
    name = folders[editor.kind]
    folder = editor.plugins / name
    found = [path for path in changes.placed() if _belongs(path, editor)]
    if mark in (read(folder / "engine_client.py") or b""):
        found += [editor.plugins / f"{name}.desktop", editor.plugins.parent / "actions" / f"{name}.action"]
        found += [path for path in sorted(folder.iterdir()) if path.suffix in (".py", ".pyz") or path.name == "LICENSE"]
    return sorted(dict.fromkeys(found), key=lambda path: path.name == "engine_client.py")  # a killed run knows it by that


def _remove(paths: list[Path], changes: Changes) -> None:
    """Remove files, those too that are not on the record."""
    for path in paths:
        if not changes.remove(path) and not changes.dry:
            with explaining(path):
                for file in (path, *path.parent.glob(f"__pycache__/{path.stem}.*.pyc")):
                    patiently(lambda file=file: file.unlink(missing_ok=True))


def _remove_empty(folder: Path) -> None:
    """Remove the plug-in's folder where nothing is left in it, whoever made it."""
    for empty in (folder / "__pycache__", folder):
        if empty.is_dir() and not any(empty.iterdir()):
            with explaining(empty):
                patiently(empty.rmdir)


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.yours{number if number > 1 else ''}")


def _problems(editor: Editor, payload: Payload) -> Iterator[tuple[str, str]]:
    """What is wrong with the plug-in and what to do, the worst first."""
    folder, files = editor.plugins / folders[editor.kind], _files(editor, payload)
    if not folder.is_dir():
        yield "has no Harmonize", "Run: harmonize install"
    told = re.search(rb'^wanted_version = "(.*?)"', read(folder / "engine_client.py") or b"", re.MULTILINE)
    version = told[1].decode(errors="replace") if told else ""
    if version and version != payload.version:
        yield f"has Harmonize {version}, but the engine is {payload.version}", repair
    for path, content in files.items():
        there = read(path)
        if there != content:
            yield (f"lacks {path}" if there is None else f"{path} was changed"), repair
    if editor.kind == "gimp":
        yield from _problems_of_gimp(editor)
    elif editor.settings is not None and not kritarc.enabled(read(editor.settings) or b""):
        where = "Settings > Configure Krita > Python Plugin Manager"
        yield "has Harmonize, switched off", f"In Krita, tick Harmonize in {where}, then start Krita again."


def _problems_of_gimp(editor: Editor) -> Iterator[tuple[str, str]]:
    path = editor.plugins / program
    if os.name == "posix" and not os.access(path, os.X_OK):
        yield f"cannot run {path}: it is not executable", repair
    settings = (read(editor.settings) if editor.settings else None) or b""
    told = re.search(r'^\(plug-in-path "(.*)"\)', settings.decode(errors="replace"), re.MULTILINE)
    if told and "${gimp_dir}/plug-ins" not in told[1] and str(editor.plugins) not in told[1]:
        found = "looks for plug-ins elsewhere"
        yield found, f"In GIMP, add {editor.plugins} in Edit > Preferences > Folders > Plug-ins."


def _sandbox(editor: Editor) -> Row:
    """Whether a sandboxed editor can start an engine: one of its own, or one whose Python lies in the user's home."""
    what, todo = f"{editor.name}: engine", f"Open {editor.name}, start Harmonize and press “Set up the engine”."
    if not editor.sandboxed:
        return Row(what, False, "cannot be started from its sandbox", "See docs/install-sandboxes.md")
    for place, path in enumerate(editor.sandboxed):
        python = _python(path)
        if python is not None and place == 0:
            return Row(what, True, "has one in its sandbox")
        if python is not None and python.resolve().is_relative_to(path.parents[3].resolve()):
            return Row(what, True, "can start the one outside of its sandbox")
    return Row(what, False, "has none in its sandbox", todo)


def _python(path: Path) -> Path | None:
    """The program that an engine.json names, or the link to it; None where there is none."""
    try:
        python = Path(json.loads(read(path) or b"{}")["command"][0])
    except (InstallError, ValueError, LookupError, TypeError):
        return None
    return python if os.path.lexists(python) else None
