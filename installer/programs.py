"""The Kritas and GIMPs on a machine, each with its version where that can be read without starting it."""

from __future__ import annotations

import contextlib
import os
import plistlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from installer.machine import Machine

Kind = Literal["krita", "gimp"]
Packaging = Literal["system", "flatpak", "snap", "appimage", "windows", "store", "macos"]
kinds: tuple[Kind, Kind] = "krita", "gimp"
flatpaks: dict[Kind, str] = {"krita": "org.kde.krita", "gimp": "org.gimp.GIMP"}
bundles: dict[Kind, str] = {"krita": "krita*.app", "gimp": "GIMP*.app"}
on_windows: dict[Kind, tuple[str, ...]] = {
    "krita": ("Krita*/bin/krita.exe", "Steam/steamapps/common/Krita/krita/bin/krita.exe"),
    "gimp": ("GIMP*/bin/gimp-[0-9]*.exe",),
}
in_store: dict[Kind, str] = {"krita": "*Krita*_*", "gimp": "GIMP*_*"}
image_folders = ("", "Applications", "AppImages", "Apps", "bin", ".local/bin", "opt", "Downloads", "Desktop")
number = re.compile(r"\d+\.\d+(?:\.\d+)*")


@dataclass(frozen=True)
class Program:
    """version: "" where it could not be read; place: the program, or the folder that holds all of it."""

    kind: Kind
    version: str
    packaging: Packaging
    place: Path


def installed(machine: Machine, root: Path = Path("/")) -> list[Program]:
    """Find them, each once; root: the folder of the whole system, another one in tests.

    Where the version of one is known, another one without any, as a script on the PATH that starts it, does not count.
    """
    if machine.platform == "win32":
        searches = (_windows(machine), _store(machine))
    elif machine.platform == "darwin":
        searches = (_macos(machine, root),)
    else:
        searches = (_system(machine, root), _flatpak(machine, root), _snap(root), _appimage(machine, root))
    found: dict[tuple[str, ...], Program] = {}
    for search in searches:
        for program in search:
            place = str(program.place) if program.packaging == "appimage" else ""
            found.setdefault((program.kind, program.version, program.packaging, place), program)
    known = {(program.kind, program.packaging) for program in found.values() if program.version}
    return [one for one in found.values() if one.version or (one.kind, one.packaging) not in known]


def _system(machine: Machine, root: Path) -> Iterator[Program]:
    """Programs on the PATH. A GIMP's name tells its version; `gimp` itself is a link to one of them."""
    usual = [str(root / folder) for folder in ("usr/local/bin", "usr/bin")]
    folders = [folder for folder in machine.environment.get("PATH", "").split(os.pathsep) if folder]
    for folder in dict.fromkeys(Path(folder).resolve() for folder in (*folders, *usual)):  # /bin may be a link to /usr/bin
        if folder.is_relative_to((root / "snap").resolve()) or not folder.is_dir():
            continue
        if (folder / "krita").exists():
            yield Program("krita", _told_by_metainfo(folder.parent, "krita"), "system", folder / "krita")
        named = [path for path in _listed(folder, "gimp-*") if re.fullmatch(r"gimp-\d+\.\d+", path.name)]
        whole = _told_by_metainfo(folder.parent, "gimp")
        for path in named or [path for path in (folder / "gimp",) if path.exists()]:
            minor = path.name.removeprefix("gimp-") if named else ""
            yield Program("gimp", whole if whole.startswith(f"{minor}.") or not named else minor, "system", path)


def _flatpak(machine: Machine, root: Path) -> Iterator[Program]:
    own = Path(machine.environment.get("XDG_DATA_HOME") or machine.home / ".local/share") / "flatpak"
    for installation in (own, root / "var/lib/flatpak"):
        for kind, name in flatpaks.items():
            place = installation / "app" / name / "current/active"
            if place.is_dir():
                yield Program(kind, _told_by_metainfo(place / "files", kind), "flatpak", place)


def _snap(root: Path) -> Iterator[Program]:
    for kind in kinds:
        place = root / "snap" / kind / "current"
        told = re.search(r"^version: *['\"]?(.*)", _text(place / "meta/snap.yaml"), re.MULTILINE)
        if told:
            yield Program(kind, _number(told[1]), "snap", place)


def _appimage(machine: Machine, root: Path) -> Iterator[Program]:
    """AppImages where people keep them, and those that are running."""
    found = [path for folder in image_folders for path in _listed(machine.home / folder, "*")]
    found += [*_listed(root / "opt", "*"), *_listed(root / "usr/local/bin", "*"), *_running_images(root)]
    for path in dict.fromkeys(found):
        name = path.name.lower()
        for kind in kinds:
            if name.startswith(kind) and name.endswith(".appimage") and path.is_file():
                yield Program(kind, _number(path.name), "appimage", path)


def _running_images(root: Path) -> Iterator[Path]:
    for environment in _listed(root / "proc", "[0-9]*/environ"):
        with contextlib.suppress(OSError):  # somebody else's, or gone meanwhile
            for entry in environment.read_bytes().split(b"\0"):
                if entry.startswith(b"APPIMAGE="):
                    yield Path(os.fsdecode(entry.removeprefix(b"APPIMAGE=")))


def _windows(machine: Machine) -> Iterator[Program]:
    folders = [machine.environment.get(name) for name in ("ProgramW6432", "ProgramFiles", "ProgramFiles(x86)")]
    local = machine.environment.get("LOCALAPPDATA")
    places = [Path(folder) for folder in folders if folder] + ([Path(local, "Programs")] if local else [])
    for place in dict.fromkeys(places):
        for kind, patterns in on_windows.items():
            for program in (path for pattern in patterns for path in _listed(place, pattern)):
                yield Program(kind, _told_by_program(program) or _number(program.stem), "windows", program)


def _store(machine: Machine) -> Iterator[Program]:
    """Packages of the Microsoft Store that were started once: Windows gives each a private copy of the user's folders."""
    packages = Path(machine.environment.get("LOCALAPPDATA") or machine.home / "AppData/Local") / "Packages"
    for kind, pattern in in_store.items():
        for package in _listed(packages, pattern):
            if (package / "LocalCache").is_dir():
                yield Program(kind, "", "store", package)


def _macos(machine: Machine, root: Path) -> Iterator[Program]:
    for folder in (root / "Applications", machine.home / "Applications"):
        for kind, pattern in bundles.items():
            for bundle in _listed(folder, pattern):
                described: dict[str, object] = {}
                with contextlib.suppress(OSError, plistlib.InvalidFileException, ValueError):
                    described = plistlib.loads((bundle / "Contents/Info.plist").read_bytes())
                yield Program(kind, _number(str(described.get("CFBundleShortVersionString", ""))), "macos", bundle)


def _told_by_metainfo(prefix: Path, kind: Kind) -> str:
    """The newest release in a program's description for app stores, which comes with it."""
    for ending in ("appdata.xml", "metainfo.xml"):
        text = _text(prefix / "share/metainfo" / f"{flatpaks[kind]}.{ending}")
        if told := re.search(r"<release\b[^>]*\bversion=\"([^\"]*)\"", text):
            return _number(told[1])
    return ""


def _told_by_program(path: Path) -> str:
    """The version in a Windows program's resources: a structure that begins with a fixed signature."""
    with contextlib.suppress(OSError):
        content = path.read_bytes()
        place = content.find(struct.pack("<I", 0xFEEF04BD))
        if 0 <= place <= len(content) - 16:
            high, low = struct.unpack_from("<II", content, place + 8)
            return ".".join(str(part) for part in (high >> 16, high & 0xFFFF, low >> 16))
    return ""


def _number(text: str) -> str:
    found = number.search(text)
    return found[0] if found else ""


def _listed(folder: Path, pattern: str) -> list[Path]:
    """The paths that match, none where the folder is missing or closed to us."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
