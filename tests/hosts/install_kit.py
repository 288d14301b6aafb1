"""What the installation's tests need: archives built of a copy of the repository, wheels for a root's Python, an artist.

The wheels are downloaded once from the index that pip is configured for, and kept outside the repository; the artist is a
normal user of a root with a home of their own and no network.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from recipe import RootUnavailable
from roots import Root, ensure, locked, partial

repository = Path(__file__).resolve().parents[2]
parts = ("harmonize_engine", "model_server", "installer", "plugin_krita", "plugin_gimp")
parts += ("pyproject.toml", "tasks.py", "README.md", "LICENSE", "NOTICE")
told_versions = {
    "pyproject.toml": r'^version = "(.*)"',
    "harmonize_engine/__init__.py": r'^__version__ = "(.*)"',
    "model_server/engine_client.py": r'^wanted_version = "(.*)"',
}
build = "import sys, tasks; tasks.python, tasks.make_environment = sys.executable, lambda: None; tasks.build()"
before_version = "0.0.9"
artist, group = 1000, 1000
# Only loopback, as on a computer without a network
alone = """
import fcntl, os, socket, struct, sys
with socket.socket() as line:
    fcntl.ioctl(line, 0x8914, struct.pack("16sh14x", b"lo", 1))
os.execvp(sys.argv[1], sys.argv[1:])
"""


def built(folder: Path, version: str | None = None) -> Path:
    """Build the archives into a folder, of a copy of the repository that is deleted then; version: another one."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, "copy")
        copy.mkdir()
        for name in parts:
            source = repository / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        for name, pattern in told_versions.items() if version else ():
            text = (copy / name).read_text(encoding="utf-8")
            told = re.search(pattern, text, re.MULTILINE)
            assert told is not None, name
            (copy / name).write_text(text[: told.start(1)] + str(version) + text[told.end(1) :], encoding="utf-8")
        ended = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        shutil.move(copy / "dist", folder)
    return folder


def this_version() -> str:
    """The version of the repository."""
    told = re.search(told_versions["pyproject.toml"], (repository / "pyproject.toml").read_text(), re.MULTILINE)
    assert told is not None
    return told[1]


def wheelhouse(python: str) -> Path:
    """The wheels that the installer needs on a Linux with this Python, like "3.13"; kept for the next time."""
    lock = (repository / "installer/locks/cpu.txt").read_bytes()
    cache = Path(os.environ.get("HARMONIZE_CACHE") or Path.home() / ".cache/harmonize").absolute() / "wheels"
    folder = cache / f"{python}-{hashlib.sha256(lock).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / "lock"):
        if not folder.exists():
            with partial(folder) as unfinished:
                _download(lock.decode(), python, unfinished)
    return folder


def _download(lock: str, python: str, folder: Path) -> None:
    machine = platform.machine()
    here = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": "linux"}
    here |= {"platform_machine": machine, "platform_system": "Linux", "os_name": "posix"}
    wanted: list[str] = []
    for told in re.findall(r"^[a-z](?:.*\\\n)*.*", lock, re.MULTILINE):
        requirement = Requirement(told.split("--hash")[0].replace("\\", " ").strip())
        if requirement.marker is None or requirement.marker.evaluate(here):
            hashes = " ".join(re.findall(r"--hash=\S+", told))
            wanted.append(f"{requirement.name}{requirement.specifier} {hashes}")
    folder.mkdir()
    (folder / "wanted.txt").write_text("\n".join(wanted))
    platforms = [f"--platform=manylinux{glibc}_{machine}" for glibc in ("_2_28", "_2_27", "_2_17", "2014")]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    pip += ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}", *platforms]
    pip += ["--require-hashes", "--requirement=wanted.txt", "--dest=."]
    ended = subprocess.run(pip, cwd=folder, capture_output=True, text=True)
    if ended.returncode:
        raise RootUnavailable(f"the wheels could not be downloaded: {(ended.stderr.splitlines() or ['no message'])[-1]}")
    (folder / "wanted.txt").unlink()


class Artist(Root):
    """A normal user of a root, without a network; `home` is their home, as it is seen from outside.

    name: of a home that is empty; without one, it is the home of somebody who has used the editors before.
    """

    def __init__(self, tree: Path, session: Path, name: str = "") -> None:
        super().__init__(tree, session)
        self.home, self.files = session / "home" / name, session / "files"
        if name:
            shutil.rmtree(session / "home")
            self.home.mkdir(parents=True)
        self.files.mkdir()
        session.chmod(0o755)
        self.give(session / "home", session / "runtime", self.share, self.bench)

    def give(self, *folders: Path) -> None:
        """Make folders, with all that is in them, the artist's own."""
        subprocess.run(["chown", "-R", f"{artist}:{group}", *folders], check=True)

    def run(self, *command: str, timeout: float = 120, disk: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as the artist; disk: options of an empty disk that is mounted at their home for this once."""
        home = self.inside(self.home)
        mounted = ("sh", "-ec", 'mount -t tmpfs -o "$1" tmpfs "$2"; shift 2; exec "$@"', "sh", disk, home) if disk else ()
        user = (f"HOME={home}", "USER=artist", "LOGNAME=artist", "XDG_RUNTIME_DIR=/session/runtime")
        rights = ("setpriv", f"--reuid={artist}", f"--regid={group}", "--clear-groups", "env", "-C", home)
        words = (*mounted, "unshare", "--net", "python3", "-ISc", alone, *rights, *user, *command)
        return super().run(*words, timeout=timeout)


@contextlib.contextmanager
def working(suite: str, name: str = "") -> Iterator[Artist]:
    """An artist in the root of a suite; what they did is removed at the end."""
    tree = ensure(suite)
    with tempfile.TemporaryDirectory(prefix="harmonize-artist-", ignore_cleanup_errors=True) as session:
        yield Artist(tree, Path(session), name)


def python_of(tree: Path) -> str:
    """The version of a root's Python, like "3.13"."""
    return next(path.name.removeprefix("python") for path in sorted((tree / "usr/bin").glob("python3.[0-9]*")))


def contents(folder: Path) -> dict[str, str]:
    """Every file, folder and link below a folder: what it is, its mode, and the SHA-256 of what is in it."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "file"
        content = os.readlink(path).encode() if kind == "link" else path.read_bytes() if kind == "file" else b""
        found[str(path.relative_to(folder))] = f"{kind} {path.lstat().st_mode:o} {hashlib.sha256(content).hexdigest()}"
    return found
