"""Each Krita and GIMP of the user: where it looks for plug-ins, and what keeps ours from working there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from installer import kritarc, programs
from installer.machine import Machine
from installer.programs import Kind, Packaging, Program
from installer.writing import read

names: dict[Kind, str] = {"krita": "Krita", "gimp": "GIMP"}
oldest: dict[Kind, str] = {"krita": "5.2", "gimp": "3.0"}
packagings: dict[Packaging, str] = {
    "system": "",
    "flatpak": "Flatpak",
    "snap": "Snap",
    "appimage": "AppImage",
    "windows": "",
    "store": "Microsoft Store",
    "macos": "",
}
flatpak_note = "It runs in a sandbox: if the engine does not start in it, press “Set up the engine” there once."
snap_note = "Its sandbox keeps it from starting the engine: docs/install-sandboxes.md tells what can be done."
store_note = "Windows keeps its folders apart: if Harmonize does not show up there, use the editor's own installer instead."


@dataclass(frozen=True)
class Editor:
    """version: "" where unknown; plugins: where it looks for plug-ins; settings: kritarc or gimprc, there or not.

    blocked: why no plug-in can be placed now, in a sentence, else "". sandboxed: the engine.json files that a plug-in in a
    sandbox can use, its own first; None for an editor that runs outside of any.
    """

    kind: Kind
    version: str
    packaging: Packaging
    plugins: Path
    settings: Path | None
    notes: tuple[str, ...] = ()
    blocked: str = ""
    sandboxed: tuple[Path, ...] | None = None

    @property
    def name(self) -> str:
        """For people, as "GIMP 3.2.6 (Flatpak)"."""
        packaging = packagings[self.packaging]
        return " ".join(filter(None, (names[self.kind], self.version, packaging and f"({packaging})")))

    @property
    def is_too_old(self) -> bool:
        """Whether it is older than what the plug-in needs."""
        return bool(self.version) and _numbers(self.version) < _numbers(oldest[self.kind])

    def answers_to(self, word: str) -> bool:
        """Whether a word of the command line means it: krita, gimp-3.2, krita-flatpak, gimp-3.2.6-appimage."""
        kind, *rest = word.lower().split("-")
        fits = [part == self.packaging or f"{self.version}.".startswith(f"{part}.") for part in rest]
        return kind == self.kind and all(fits)


def find(machine: Machine, root: Path = Path("/")) -> list[Editor]:
    """Find the editors; root: the folder of the whole system, another one in tests.

    Where no program of a kind is found, its settings folder counts: some programs lie where nobody would look.
    """
    found = programs.installed(machine, root)
    here: dict[str, Packaging] = {"win32": "windows", "darwin": "macos"}
    outside: Packaging = here.get(machine.platform, "system")
    editors = [_krita(machine, program) for program in found if program.kind == "krita"]
    hidden = _krita(machine, Program("krita", "", outside, Path()))
    if not editors and hidden.settings is not None and hidden.settings.exists():
        editors.append(hidden)
    gimps = [_gimp(machine, program) for program in found if program.kind == "gimp"]
    if not gimps:
        versions = _versions(_gimp_folder(machine, outside, Path()))
        gimps = [_gimp(machine, Program("gimp", version, outside, Path())) for version in versions]
    return [*editors, *gimps]


def _krita(machine: Machine, program: Program) -> Editor:
    settings, resources = _krita_places(machine, program)
    chosen = kritarc.resource_folder(read(settings) or b"", machine.environment, machine.home)
    blocked, notes = _too_old(program), _notes(program)
    if chosen is not None:
        notes = (*notes, f"Its resource folder is {chosen}.")
        if not chosen.is_dir() and not blocked:
            blocked = f"Krita's resource folder {chosen} is not there: mount its disk or choose another one in Krita."
    plugins = (chosen or resources) / "pykrita"
    engines = _engines(machine, program, resources.parent)
    return Editor("krita", program.version, program.packaging, plugins, settings, notes, blocked, engines)


def _krita_places(machine: Machine, program: Program) -> tuple[Path, Path]:
    """Where a Krita keeps its settings and, unless told otherwise, its resources."""
    home, environment = machine.home, machine.environment
    if program.packaging == "flatpak":
        own = home / ".var/app" / programs.flatpaks["krita"]
        return own / "config/kritarc", own / "data/krita"
    if program.packaging == "snap":
        own = home / "snap/krita/current"
        return own / ".config/kritarc", own / ".local/share/krita"
    if program.packaging == "store":
        return program.place / "LocalCache/Local/kritarc", program.place / "LocalCache/Roaming/krita"
    if machine.platform == "win32":
        return _local(machine) / "kritarc", _roaming(machine) / "krita"
    if machine.platform == "darwin":
        return home / "Library/Preferences/kritarc", home / "Library/Application Support/krita"
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local/share")
    return _config(machine) / "kritarc", data / "krita"


def _gimp(machine: Machine, program: Program) -> Editor:
    """A GIMP keeps what is the user's in a folder for each of its versions."""
    folder = _gimp_folder(machine, program.packaging, program.place)
    others, blocked = _versions(folder), _too_old(program)
    wanted = ".".join(program.version.split(".")[:2]) or next(reversed(others), "")
    chosen = machine.environment.get("GIMP3_DIRECTORY")
    own = machine.home / chosen if chosen and program.packaging in ("system", "appimage", "windows", "macos") else None
    own = own or folder / (wanted or "3.0")
    older = [version for version in others if _numbers(version) < _numbers(wanted)]
    if not wanted and not blocked:
        blocked = "Start this GIMP once, so that it makes its folders, then run this again."
    elif older and not own.is_dir() and not blocked:  # GIMP takes over nothing where its folder is there already
        blocked = f"Start GIMP {wanted} once, so that it takes over your settings from {older[-1]}, then run this again."
    version = program.version or wanted
    engines = _engines(machine, program, machine.home / ".var/app" / programs.flatpaks["gimp"] / "data")
    notes = _notes(program)
    return Editor("gimp", version, program.packaging, own / "plug-ins", own / "gimprc", notes, blocked, engines)


def _gimp_folder(machine: Machine, packaging: Packaging, place: Path) -> Path:
    """The folder that holds the folders of GIMP's versions."""
    if packaging == "flatpak" and not _shares_settings(machine, place):
        return machine.home / ".var/app" / programs.flatpaks["gimp"] / "config/GIMP"
    if packaging == "snap":
        return machine.home / "snap/gimp/current/.config/GIMP"
    if packaging == "store":
        return place / "LocalCache/Roaming/GIMP"
    if machine.platform == "win32":
        return _roaming(machine) / "GIMP"
    if machine.platform == "darwin":
        return machine.home / "Library/Application Support/GIMP"
    return (machine.home / ".config" if packaging == "flatpak" else _config(machine)) / "GIMP"


def _shares_settings(machine: Machine, place: Path) -> bool:
    """Whether a Flatpak of GIMP may use the settings folder outside, as the one on Flathub may."""
    own = Path(machine.environment.get("XDG_DATA_HOME") or machine.home / ".local/share") / "flatpak"
    granted: list[str] = []
    for path in (place / "metadata", own / "overrides" / programs.flatpaks["gimp"]):
        told = re.search(r"^filesystems=(.*)", (read(path) or b"").decode(errors="replace"), re.MULTILINE)
        granted += told[1].split(";") if told else []
    ours = [entry for entry in granted if entry.lstrip("!").split(":")[0] == "xdg-config/GIMP"]
    return bool(ours) and not ours[-1].startswith("!")


def _engines(machine: Machine, program: Program, data: Path) -> tuple[Path, ...] | None:
    """The engine.json files whose engine a sandbox lets its editor start: its own, and the one outside. None in a Snap."""
    if program.packaging == "flatpak":
        return data / "harmonize/engine.json", machine.home / ".local/share/harmonize/engine.json"
    return () if program.packaging == "snap" else None


def _too_old(program: Program) -> str:
    name, least = names[program.kind], oldest[program.kind]
    if program.version and _numbers(program.version) < _numbers(least):
        return f"{name} {program.version} is too old for Harmonize, which needs {name} {least} or later."
    return ""


def _notes(program: Program) -> tuple[str, ...]:
    told: dict[Packaging, str] = {"flatpak": flatpak_note, "snap": snap_note, "store": store_note}
    return (told[program.packaging],) if program.packaging in told else ()


def _versions(folder: Path) -> list[str]:
    """The versions that have a folder of settings, the newest last."""
    try:
        found = [path.name for path in folder.iterdir() if re.fullmatch(r"\d+\.\d+", path.name) and path.is_dir()]
    except OSError:
        return []
    return sorted(found, key=_numbers)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _config(machine: Machine) -> Path:
    return Path(machine.environment.get("XDG_CONFIG_HOME") or machine.home / ".config")


def _local(machine: Machine) -> Path:
    return Path(machine.environment.get("LOCALAPPDATA") or machine.home / "AppData/Local")


def _roaming(machine: Machine) -> Path:
    return Path(machine.environment.get("APPDATA") or machine.home / "AppData/Roaming")
