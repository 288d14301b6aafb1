"""A report of the doctor's table and the logs that an artist can attach to an issue: nothing in it tells who they are."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import socket
import unicodedata
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from installer.machine import Machine

left_out = "(a line that names a picture)"
kept_lines = 60  # of each log
told_variables = ("HARMONIZE_ENGINE", "HARMONIZE_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
told_variables += ("LANG", "LC_ALL", "FLATPAK_ID", "SNAP", "APPIMAGE")
hidden_variables = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX")
pictures = "png|jpe?g|jfif|tiff?|webp|gif|bmp|heic|heif|avif|exr|hdr|psd|psb|kra|krz|xcf|ora|svg|pdf"
pictures += "|raw|cr[23]|nef|arw|dng|orf|raf"
picture = re.compile(rf"\.(?:{pictures})\b", re.IGNORECASE)
known = r"\.|snap\b|Library\b|AppData\b|Applications\b"  # what may be told of a home: where programs keep their things
elsewhere = re.compile(rf"~(?P<slash>[/\\]+)(?!{known})[^\"<>|\n]+")
slash = r"(?:\\{1,2}|/)"
homes = re.compile(rf"(?P<start>(?:/home|/Users|[A-Za-z]:{slash}Users){slash})[^/\\\s\"':]+", re.IGNORECASE)
address = re.compile(r"(?<!Krita )(?<!GIMP )\b(?!127\.0\.0\.1\b|0\.0\.0\.0\b)\d{1,3}(?:\.\d{1,3}){3}\b")
url = re.compile(r"\b(?P<scheme>[a-z][a-z0-9+.-]*)://(?!127\.0\.0\.1|localhost|\[::1\])[^\s\"'<>]+", re.IGNORECASE)
mail = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
secret = re.compile(r"\b[A-Za-z0-9_-]{40,}\b")  # keys of servers; hashes of 64 hexadecimal digits are told


def text(version: str, machine: Machine, table: Iterable[str], logs: Sequence[Path]) -> str:
    """Write the report. Names of people, computers, servers and own folders are replaced, pictures left out."""
    told = _lines(version, machine, table, logs)
    return Mask.of(machine).hide("\n".join(line if not picture.search(line) else left_out for line in told) + "\n")


def logs(machine: Machine) -> list[Path]:
    """Name the logs of the server and of the installer that are there."""
    chosen = machine.environment.get("HARMONIZE_LOG_DIR")
    folders = [Path(chosen)] if chosen else [machine.logs, machine.logs / "log"]
    servers = (folder / "server.log" for folder in folders)
    return [path for path in (*servers, machine.data / "install.log") if path.is_file()]


class Mask:
    """Names that must not be told, and what is told instead."""

    def __init__(self, names: dict[str, str], homes: Sequence[str]) -> None:
        self._homes = {
            form for home in map(_plain, homes) for form in (home, home.replace("\\", "/"), home.replace("\\", 2 * "\\"))
        }
        self._names = {_plain(name): instead for name, instead in names.items()}

    @classmethod
    def of(cls, machine: Machine) -> Mask:
        """Gather the names of a machine's user: of the account, in the path of the home, of the computer, in full."""
        environment, names = machine.environment, dict[str, str]()
        for word in (machine.home.name, *(environment.get(name, "") for name in ("USER", "USERNAME", "LOGNAME"))):
            names[word] = "USER"
        for word in (*_accounts(), *(environment.get(name, "") for name in ("NAME", "USERDOMAIN"))):
            names[word] = "USER"
        for word in (socket.gethostname(), *(environment.get(name, "") for name in ("HOSTNAME", "COMPUTERNAME"))):
            names[word] = names[word.split(".")[0]] = "COMPUTER"
        parts = {part: "USER" for name in list(names) if names[name] == "USER" for part in re.split(r"[\W_]+", name)}
        usual = ("", "root", "user", "users", "home", "localhost", "harmonize", "krita", "gimp", "python")
        names = {name: told for name, told in (parts | names).items() if name.lower() not in usual and len(name) > 1}
        real = os.path.realpath(machine.home)
        return cls(names, [home for home in (str(machine.home), real) if len(home) > 1])

    def hide(self, told: str) -> str:
        """Replace them, however they are written."""
        told = _plain(told)
        for spelling in sorted(self._homes, key=len, reverse=True):
            told = re.sub(re.escape(spelling) + r"(?![\w.-])", "~", told, flags=re.IGNORECASE)
        told = elsewhere.sub(r"~\g<slash>FOLDER", told)
        told = homes.sub(r"\g<start>USER", told)
        told = url.sub(r"\g<scheme>://SERVER", told)
        told = mail.sub("ADDRESS", told)
        told = address.sub("ADDRESS", told)
        told = secret.sub(lambda found: found[0] if re.fullmatch("[0-9a-f]{64}", found[0]) else "SECRET", told)
        for name, instead in sorted(self._names.items(), key=lambda pair: len(pair[0]), reverse=True):
            told = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", instead, told, flags=re.IGNORECASE)
        return told


def _lines(version: str, machine: Machine, table: Iterable[str], logs: Sequence[Path]) -> Iterator[str]:
    yield f"Harmonize {version} on {machine.platform} {machine.architecture}"
    yield ""
    yield from table
    yield ""
    for name in told_variables:
        if name in machine.environment:
            yield f"{name}={machine.environment[name]}"
    for name in hidden_variables:
        if name in machine.environment or name.lower() in machine.environment:
            yield f"{name} is set"
    for path in logs:
        yield f"\nThe last lines of {path}:"
        try:
            yield from path.read_text(encoding="utf-8", errors="replace").splitlines()[-kept_lines:]
        except OSError as error:
            yield f"(cannot be read: {error.strerror or error})"


def _plain(told: str) -> str:
    """Undo what JSON, Python, a URL or a Python that takes file names for ASCII has made of letters."""
    told = re.sub(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})", lambda found: chr(int(found[1] or found[2], 16)), told)
    told = re.sub("(?:%[0-9a-fA-F]{2})+", lambda found: urllib.parse.unquote(found[0]), told)
    told = told.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")  # puts pairs together
    told = re.sub("[\ud800-\udc7f\udd00-\udfff]", "?", told)
    return unicodedata.normalize("NFC", told.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _accounts() -> Iterator[str]:
    """The account's name and the user's full name, where the system tells."""
    with contextlib.suppress(OSError, KeyError, ImportError):
        yield getpass.getuser()
    if os.name == "posix":
        import pwd

        with contextlib.suppress(KeyError):
            yield pwd.getpwuid(os.geteuid()).pw_gecos.split(",")[0]
