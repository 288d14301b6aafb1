"""Debian roots that hold the real editors, made once, cached as a tarball and unpacked in seconds.

forky has GIMP 3.2 and Krita 5.3, trixie has GIMP 3.0 and Krita 5.2.  Run it by hand as
``python3 tests/hosts/roots.py build|path|check [forky|trixie]``.

A command runs in mount, process and IPC namespaces of its own, so nothing stays mounted and nothing keeps
running, even after a kill.  It sees its own /tmp and its own /session:

    /session/home    HOME, a copy of the home that was warmed when the root was made
    /session/share   Root.share: files in and out
    /session/bench   the script, its arguments, its result and the module ``bench``

Environment: HARMONIZE_CACHE, the folder of the tarballs; HARMONIZE_RUNTIME, the folder of the unpacked roots.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import recipe
from recipe import RootUnavailable, key, require_tools, suites

# With --ipc, for Krita attaches to the shared memory that another one left under the same key, and dies of it.
namespace = ("unshare", "--mount", "--pid", "--ipc", "--kill-child")
# Abstract sockets are shared with the machine, /tmp is not: without them two roots can both use display :99.
screen = ("xvfb-run", "-a", "-s", "-nolisten local -screen 0 1600x1000x24")
gimp_version = "from bench import result; from gi.repository import Gimp; result(Gimp.version())"
krita_version = "from bench import result; from krita import Krita; result(Krita.instance().version())"
enter = """
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
mount --bind "$2" "$1/session"
root="$1"
shift 2
chroot "$root" env -i HOME=/session/home XDG_RUNTIME_DIR=/session/runtime LANG=C.UTF-8 \
    PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin "$@" || exit $?
"""  # not exec: the shell stays process 1, so that a crash of the editor is an ordinary crash


class HostFailed(Exception):
    """The editor or the script in it failed; the message ends with the log."""


class Root:
    """One unpacked root with a session folder of its own; `share` is visible inside as /session/share."""

    def __init__(self, tree: Path, session: Path) -> None:
        self.tree, self.session = tree, session
        self.share, self.bench = session / "share", session / "bench"
        self.share.mkdir()
        (session / "runtime").mkdir(mode=0o700)
        shutil.copytree(Path(__file__).parent / "bench", self.bench)
        if (tree / "warm").exists():
            subprocess.run(["cp", "-a", tree / "warm", session / "home"], check=True)
        else:
            (session / "home").mkdir()

    def inside(self, path: Path) -> str:
        """The name a file of the session has inside the root."""
        return f"/session/{path.relative_to(self.session)}"

    def run(self, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command; `stdout` holds both streams. It and all it started are gone when this returns."""
        shell = [*namespace, "sh", "-ec", enter, "sh", str(self.tree), str(self.session), *command]
        try:
            return subprocess.run(
                shell,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as late:
            log = (late.stdout or b"").decode(errors="replace")
            raise HostFailed(f"{' '.join(command)} did not end within {timeout} s\n{log}") from None

    def gimp(self, script: str | Path, *args: object, timeout: float = 120) -> str:
        """Run a Python script in gimp-console and return the text it gave to result()."""
        start = "exec(open('/session/bench/gimp_start.py').read())"
        batch = ("--quit", "--batch-interpreter=python-fu-eval", "-b", start)
        return self._script(("gimp-console", "-i", "-d", "-f", *batch), script, args, timeout)

    def krita(self, script: str | Path, *args: object, timeout: float = 120) -> str:
        """Run a Python script in kritarunner, without a screen, and return the text it gave to result()."""
        offscreen = ("env", "QT_QPA_PLATFORM=offscreen", "PYTHONPATH=/session/bench")
        command = (*offscreen, "kritarunner", "-s", "krita_start", "-f", "main")
        return self._script(command, script, args, timeout)

    def _script(self, command: tuple[str, ...], script: str | Path, args: tuple[object, ...], timeout: float) -> str:
        answer = self.bench / "result"
        answer.unlink(missing_ok=True)
        (self.bench / "script.py").write_text(script.read_text() if isinstance(script, Path) else script)
        arguments = [self.inside(arg) if isinstance(arg, Path) else arg for arg in args]
        (self.bench / "arguments.json").write_text(json.dumps(arguments))
        ended = self.run(*command, timeout=timeout)
        if ended.returncode:
            raise HostFailed(f"{' '.join(command)} ended with status {ended.returncode}\n{ended.stdout}")
        if "fatal error:" in ended.stdout:  # a crash of GIMP's core that its exit status may hide
            raise HostFailed(f"{' '.join(command)} crashed\n{ended.stdout}")
        if not answer.exists():  # both editors can exit 0 after a failure
            raise HostFailed(f"{' '.join(command)}: the script gave no result\n{ended.stdout}")
        return answer.read_text()


@contextlib.contextmanager
def opened(suite: str) -> Iterator[Root]:
    """A root of the suite, made or unpacked first where needed; its session folder is removed at the end."""
    tree = ensure(suite)
    with tempfile.TemporaryDirectory(prefix="harmonize-host-", ignore_cleanup_errors=True) as session:
        yield Root(tree, Path(session))


def cached(suite: str) -> Path:
    """The tarball of the root."""
    cache = os.environ.get("HARMONIZE_CACHE") or Path.home() / ".cache/harmonize/roots"
    return Path(cache).absolute() / f"{key(suite)}.tar.zst"


def unpacked(suite: str) -> Path:
    """The folder of the unpacked root."""
    runtime = os.environ.get("HARMONIZE_RUNTIME") or Path.home() / ".cache/harmonize/runtime"
    return Path(runtime).absolute() / key(suite)


def ensure(suite: str) -> Path:
    """Find the root unpacked, else unpack it, else make it; returns its folder.

    Safe to call twice at once.
    """
    if suite not in suites:
        raise RootUnavailable(f"there is no root of {suite!r}, only of {' and '.join(suites)}")
    require_rights()
    tarball, tree = cached(suite), unpacked(suite)
    try:
        tarball.parent.mkdir(parents=True, exist_ok=True)
        tree.parent.mkdir(parents=True, exist_ok=True)
        with locked(tree.with_name(f"{suite}.lock")), locked(tarball.with_name(f"{suite}.tar.lock")):
            if tree.exists() and not tarball.exists():
                pack(tree, tarball)
            elif not tarball.exists():
                make(suite, tarball, tree)
            elif not tree.exists():
                unpack(tarball, tree)
    except OSError as fault:
        raise RootUnavailable(f"the root of {suite} could not be written: {fault}") from fault
    return tree


def require_rights() -> None:
    """Raise unless chroots with mounts of their own can be used here."""
    if sys.platform != "linux":
        raise RootUnavailable("the editors' roots need Linux")
    if os.geteuid() != 0:
        raise RootUnavailable("the editors' roots need the root user (chroot)")
    if not shutil.which("unshare") or subprocess.run([*namespace, "true"], capture_output=True).returncode:
        raise RootUnavailable("the editors' roots need mount namespaces (unshare)")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file lock; it falls off by itself when the process dies."""
    import fcntl  # not on Windows, where require_rights has already said no

    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(suite: str, tarball: Path, tree: Path) -> None:
    """Bootstrap, warm and pack a root; only a whole one gets its final name."""
    with partial(tree) as folder:
        recipe.bootstrap(suite, folder, tarball.with_name(f"{suite}.log"), namespace)
        warm(folder)
        pack(folder, tarball)


def pack(tree: Path, tarball: Path) -> None:
    require_tools("zstd")
    with partial(tarball) as file:
        tar("--create", "--use-compress-program=zstd -3 -T0", f"--file={file}", f"--directory={tree}", ".")


def unpack(tarball: Path, tree: Path) -> None:
    require_tools("zstd")
    with partial(tree) as folder:
        folder.mkdir()
        tar("--extract", "--use-compress-program=zstd", f"--file={tarball}", f"--directory={folder}")


@contextlib.contextmanager
def partial(target: Path) -> Iterator[Path]:
    """A path to write to; it takes the target's name if all goes well, else it is removed."""
    unfinished = target.with_name(f"{target.name}.partial")
    remove(unfinished)  # left by a kill
    try:
        yield unfinished
        unfinished.rename(target)
    finally:
        remove(unfinished)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def warm(tree: Path) -> None:
    """Start both editors once and keep the home they leave, so that a test never pays for a first start."""
    (tree / "session").mkdir()
    with tempfile.TemporaryDirectory(prefix="harmonize-warm-") as session:
        root = Root(tree, Path(session))
        for version in ("3.0", "3.2"):
            settings = root.session / "home/.config/GIMP" / version
            settings.mkdir(parents=True)
            (settings / "gimprc").write_text(recipe.gimprc)
        root.gimp(recipe.warm_gimp, timeout=900)
        root.krita(recipe.warm_krita, timeout=900)
        export = root.run(*screen, *recipe.warm_export, timeout=900)
        if export.returncode or not (root.share / "out.png").exists():
            raise HostFailed(f"krita did not start under Xvfb ({export.returncode})\n{export.stdout}")
        subprocess.run(["cp", "-a", root.session / "home", tree / "warm"], check=True)


def tar(*options: str) -> None:
    ended = subprocess.run(["tar", "--numeric-owner", *options], capture_output=True, text=True)
    if ended.returncode:
        raise RootUnavailable(f"tar failed: {(ended.stderr.splitlines() or ['no message'])[-1]}")


def check(suite: str) -> None:
    """Start both editors and print their versions, and what the cache costs."""
    begin = time.monotonic()
    with opened(suite) as root:
        opening = time.monotonic() - begin
        gimp, krita = root.gimp(gimp_version), root.krita(krita_version)
    ending = time.monotonic() - begin - opening
    size = cached(suite).stat().st_size / 1e6
    print(f"{suite}: GIMP {gimp}, Krita {krita}; opened in {opening:.1f} s, both started in {ending:.1f} s")
    print(f"  cached ({size:.0f} MB): {cached(suite)}")


def main(arguments: list[str]) -> int:
    actions = {"build": ensure, "path": lambda suite: print(ensure(suite)), "check": check}
    if not arguments or arguments[0] not in actions or len(arguments) > 2:
        print("usage: roots.py build|path|check [forky|trixie]", file=sys.stderr)
        return 2
    try:
        for suite in arguments[1:] or suites:
            actions[arguments[0]](suite)
    except (RootUnavailable, HostFailed) as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
