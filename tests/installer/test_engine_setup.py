"""What the plug-ins' button does, with small installers in the place of the real one."""

import ast
import os
import stat
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from installer import engine_setup
from installer.engine_setup import EngineSetup, Failure, command, find_archive, is_offered

this_python = sys.executable
works = """
import json, sys
print(json.dumps({"sentence": "Get it", "share": None}))
print(json.dumps({"sentence": "Unpack it", "share": 0.5}))
print("noise of another program")
print(json.dumps({"done": True, "sentence": "Done", "version": sys.argv[1:]}))
"""
fails = """
import json, sys
told = {"code": "disk_full", "message": "The disk is full.", "hint": "Free some.", "log": "/a/log"}
print(json.dumps({"done": False, **told}))
sys.exit(2)
"""
breaks = "import sys\nprint('Traceback', file=sys.stderr)\nsys.exit('MemoryError')\n"
hangs = """
import json, os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[0]).with_name("child").write_text(str(child.pid))
print(json.dumps({"sentence": "Wait", "share": 0.1}), flush=True)
time.sleep(600)
"""


class Run:
    """One set-up, and what it has told."""

    def __init__(self, folder: Path, code: str, environment: dict[str, str] | None = None) -> None:
        self.archive = folder / "harmonize-install.pyz"
        with zipfile.ZipFile(self.archive, "w") as made:
            made.writestr("__main__.py", code)
        self.told: list[tuple[str, float | None]] = []
        self.failure: list[Failure | None] = []
        self._ended = threading.Event()
        variables = environment or {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        self.setup = EngineSetup(self.archive, variables, lambda *told: self.told.append(told), self._end)

    def _end(self, failure: Failure | None) -> None:
        self.failure.append(failure)
        self._ended.set()

    def wait(self) -> Failure | None:
        assert self._ended.wait(60)
        return self.failure[0]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    folder = tmp_path / "plug-ins of Zoë"
    folder.mkdir()

    def made(code: str, environment: dict[str, str] | None = None) -> Run:
        one = Run(folder, code, environment)
        one.setup.start()
        return one

    return made


def test_the_sentences_arrive_and_the_end(run):
    one = run(works)
    assert one.wait() is None
    assert one.told == [("Looking for a Python", None), ("Get it", None), ("Unpack it", 0.5)]


def test_what_the_installer_complains_of_is_told(run):
    assert run(fails).wait() == Failure("The disk is full.", "Free some.", "/a/log")


def test_an_installer_that_breaks_is_told_by_its_last_words(run):
    failure = run(breaks).wait()
    assert failure is not None
    assert failure.message == "The installer stopped: MemoryError."


def test_cancelling_ends_it_and_all_it_has_started(run):
    one = run(hangs)
    while ("Wait", 0.1) not in one.told:
        time.sleep(0.01)
    child = int(one.archive.with_name("child").read_text())
    one.setup.cancel()
    assert one.wait() == engine_setup.cancelled
    late = time.monotonic() + 20
    while is_alive(child):
        assert time.monotonic() < late
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"  # nobody may be there to fetch a zombie
    except OSError:
        return False


def test_cancelled_before_it_began(run, tmp_path):
    one = Run(tmp_path, works)
    one.setup.cancel()
    one.setup.start()
    assert one.wait() == engine_setup.cancelled
    assert ("Get it", None) not in one.told


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def no_python_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As inside Krita: sys.executable is the editor, and the PATH holds what a test puts there."""
    monkeypatch.setattr(sys, "executable", "/usr/bin/krita")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    (tmp_path / "home").mkdir()
    return tmp_path / "bin"


def test_without_any_python_it_says_what_to_do(run, no_python_here):
    failure = run(works, {"PATH": str(no_python_here)}).wait()
    assert failure == Failure(engine_setup.no_python, engine_setup.no_python_hint)


def test_a_program_that_is_only_called_python_is_passed_over(run, no_python_here):
    executable(no_python_here / "python3.13", "#!/bin/sh\nexit 49\n")
    executable(no_python_here / "python3", f'#!/bin/sh\nexec "{this_python}" "$@"\n')
    assert run(works, {"PATH": str(no_python_here)}).wait() is None


def test_uv_runs_it_where_there_is_no_python(run, no_python_here, tmp_path):
    """Also where its own installer puts it, which a program with a window is often not told of."""
    words = tmp_path / "words"
    script = f'''#!/bin/sh
echo "$@" > "{words}"
while [ "${{1%.pyz}}" = "$1" ]; do shift; done
exec "{this_python}" "$@"
'''
    executable(tmp_path / "home/.local/bin/uv", script)
    assert run(works, {"PATH": str(no_python_here)}).wait() is None
    assert words.read_text().startswith("run --no-project --python 3.13 ")


def test_a_python_inside_an_appimage_is_passed_over(run, no_python_here):
    executable(no_python_here / "usr/bin/python3", f'#!/bin/sh\nexec "{this_python}" "$@"\n')
    environment = {"PATH": f"{no_python_here}/usr/bin", "APPDIR": str(no_python_here)}
    assert run(works, environment).wait() == Failure(engine_setup.no_python, engine_setup.no_python_hint)


def test_it_is_offered_where_it_mends_what_is_wrong():
    assert is_offered("engine_missing", "") and is_offered("engine_not_started", "")
    assert is_offered("protocol_other", "Update the engine with the newest Harmonize installer.")
    assert not is_offered("protocol_other", "Update the plug-in with the newest Harmonize installer.")
    assert not any(is_offered(code, "") for code in ("busy", "engine_silent", "cancelled", "", "internal"))


def test_the_installer_beside_the_plugin_comes_first(tmp_path):
    plugin, kept = tmp_path / "plugin", tmp_path / "harmonize"
    plugin.mkdir()
    kept.mkdir()
    assert find_archive(plugin, [tmp_path / "none", kept]) is None
    (kept / "harmonize-install.pyz").touch()
    assert find_archive(plugin, [tmp_path / "none", kept]) == kept / "harmonize-install.pyz"
    (plugin / "harmonize-install.pyz").touch()
    assert find_archive(plugin, [kept]) == plugin / "harmonize-install.pyz"


def test_what_to_type_survives_a_space():
    archive = Path("/home/Zoë K/harmonize-install.pyz")
    assert command(archive, "linux") == 'python3 "/home/Zoë K/harmonize-install.pyz" install --no-editors'
    assert command(archive, "win32").startswith('py -3 "')
    undecoded = Path("/home/Zo\udcc3\udcab/x.pyz")  # as in a Python that takes all paths for ASCII
    assert command(undecoded, "linux").startswith('python3 "/home/Zoë/x.pyz"')


def test_the_oldest_python_of_an_editor_reads_it():
    tree = ast.parse(Path(engine_setup.__file__).read_text(encoding="utf-8"), feature_version=(3, 10))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
