"""Everything that is placed outside the engine's own folder, written down before it is done, so that it can be undone."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from installer import settings_line
from installer.failure import InstallError, explaining, patiently
from installer.machine import Machine
from installer.rows import Tell, silent
from installer.writing import read, remove_tree, unfinished, write


class Changes:
    """The record, DATA/record.json, and the only hand that writes elsewhere than in DATA.

    With `dry`, nothing is done and all is told. Each change is also in `told`.
    """

    def __init__(self, machine: Machine, tell: Tell = silent, dry: bool = False) -> None:
        self.path = machine.data / "record.json"
        self.dry = dry
        self.told: list[str] = []
        self._tell = tell
        record = _document(read(self.path))
        self._folders: list[str] = record.get("folders", [])  # made by us
        self._files: dict[str, str] = record.get("files", {})  # their SHA-256
        self._lines: dict[str, list[dict[str, Any]]] = record.get("lines", {})  # of settings: what was set, what was before
        self._trees: list[str] = record.get("trees", [])  # folders that are ours with all that is in them

    def placed(self, below: Path | None = None) -> list[Path]:
        """List the files that are ours, and the settings files with lines of ours, in one folder or all."""
        paths = [Path(path) for path in (*self._files, *self._lines)]
        return [path for path in paths if below is None or path.is_relative_to(below)]

    def spoilt(self) -> list[Path]:
        """List the files that are missing or not as we wrote them."""
        return [Path(path) for path, digest in self._files.items() if _digest(read(Path(path))) != digest]

    def write(self, path: Path, content: bytes, mode: int = 0o644, adopt: bool = False) -> bool:
        """Put a file there, unless it is there as wanted; whether anything changed.

        A file of somebody else is left alone, with InstallError `not_ours`; adopt: from now on it counts as ours.
        """
        digest, there = hashlib.sha256(content).hexdigest(), read(path)
        ours = str(path) in self._files
        if there is not None and there != content and not (ours or adopt):
            message = f"{path} is there already and is not from Harmonize's installer."
            raise InstallError("not_ours", message, "Move it away, then try again.")
        same_mode = os.name != "posix" or (there is not None and path.stat().st_mode & 0o777 == mode)
        if there == content and same_mode and self._files.get(str(path)) == digest:
            return False
        if there is None or ours or adopt:
            self._say(f"Write {path}")
            if not self.dry:
                self._files[str(path)] = digest
                self._make_folder(path.parent)
                write(path, content, mode)
            return True
        return False  # somebody else has put the very same file there; it stays theirs

    def set_line(self, path: Path, section: str, key: str, value: str) -> bool:
        """Set a line of a settings file, which stays as it is otherwise; whether anything changed."""
        content = read(path)
        before = settings_line.value(content or b"", section, key)
        if before == value:
            return False
        self._say(f"Set {key}={value} in {path}")
        if not self.dry:
            lines = self._lines.setdefault(str(path), [])
            if not any((line["section"], line["key"]) == (section, key) for line in lines):
                there = settings_line.has(content or b"", section)
                was = {"before": before, "section_was_there": there, "file_was_there": content is not None}
                lines.append({"section": section, "key": key, "value": value, **was})
            self._make_folder(path.parent)
            self._put_line(path, section, key, value)
        return True

    def remove(self, path: Path) -> bool:
        """Take back what was done at a path; whether there was anything. What is not ours stays."""
        if str(path) not in self._files and str(path) not in self._lines:
            return False
        self._say(f"Remove {path}" if str(path) in self._files else f"Take our line out of {path}")
        if not self.dry:
            self._take_back(path)
        return True

    def own(self, folder: Path) -> None:
        """Make a folder that is ours with all that anybody puts into it, as the folder of the engine's logs."""
        if not self.dry and str(folder) not in self._trees:
            self._trees.append(str(folder))
            self._make_folder(folder)

    def remove_all(self) -> None:
        """Take back everything, and DATA itself if nothing else is in it."""
        for path in self.placed():
            self.remove(path)
        for tree in list(self._trees):
            self._say(f"Remove {tree}")
            if not self.dry:
                with explaining(Path(tree)):
                    remove_tree(Path(tree))
                    self._trees.remove(tree)
                    self._remove_folders(Path(tree))
                self._save()
        self.forget()

    def make_data(self) -> None:
        """Make DATA, with a record of the folders that are made for it."""
        if not self.dry and not self.path.parent.exists():
            self._make_folder(self.path.parent)

    def forget(self) -> None:
        """Remove DATA and the record in it, if the record tells of nothing and nothing else is there."""
        folder = self.path.parent
        if self.dry or self.placed() or self._trees or not folder.exists():
            return
        own = {self.path, unfinished(self.path)}
        with explaining(folder):
            if own >= set(folder.iterdir()):
                for path in own:
                    patiently(lambda path=path: path.unlink(missing_ok=True))
                patiently(folder.rmdir)
                self._remove_folders(folder)

    def _take_back(self, path: Path) -> None:
        with explaining(path):
            if str(path) in self._files:
                for file in (path, unfinished(path), *path.parent.glob(f"__pycache__/{path.stem}.*.pyc")):
                    patiently(lambda file=file: file.unlink(missing_ok=True))
                del self._files[str(path)]
            for line in self._lines.pop(str(path), []):
                patiently(lambda: unfinished(path.resolve()).unlink(missing_ok=True))
                content = read(path)
                if content is None or settings_line.value(content, line["section"], line["key"]) != line["value"]:
                    continue  # the user has decided otherwise since
                self._put_line(path, line["section"], line["key"], line["before"], line["section_was_there"])
                if not line["file_was_there"] and not path.read_bytes().strip():
                    path.unlink()
            self._remove_folders(path.parent)
        self._save()

    def _put_line(self, path: Path, section: str, key: str, value: str | None, keep: bool = False) -> None:
        content = settings_line.changed(read(path) or b"", section, key, value, keep)
        with explaining(path):
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
            write(path.resolve(), content, mode)  # through a link to the file itself

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and those above it, the record first: also of the folders above the record itself."""
        self._folders += [str(path) for path in _missing(self.path.parent) if str(path) not in self._folders]
        self._folders += [str(path) for path in _missing(folder) if str(path) not in self._folders]
        with explaining(folder):
            self._save()
            folder.mkdir(parents=True, exist_ok=True)

    def _remove_folders(self, folder: Path) -> None:
        """Remove a folder and those above it, as far as we made them and nothing is left inside."""
        while str(folder) in self._folders:
            pycache = folder / "__pycache__"
            if pycache.is_dir() and not any(pycache.iterdir()):
                pycache.rmdir()
            if folder.exists() and any(folder.iterdir()):
                return
            if folder.exists():
                patiently(folder.rmdir)
            self._folders.remove(str(folder))
            folder = folder.parent

    def _save(self) -> None:
        record = {"folders": self._folders, "files": self._files, "lines": self._lines, "trees": self._trees}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write(self.path, json.dumps(record, indent=1).encode(), 0o600)

    def _say(self, sentence: str) -> None:
        self.told.append(sentence)
        self._tell(sentence, None)


def _missing(folder: Path) -> list[Path]:
    """The folders to make, the upmost first."""
    return [path for path in (*reversed(folder.parents), folder) if not path.exists()]


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _document(content: bytes | None) -> dict[str, Any]:
    """Read the record; one that is damaged counts as none, and what it told of must be adopted."""
    try:
        document = json.loads(content or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
