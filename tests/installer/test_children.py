"""Programs that are started are heard line by line, see a clean environment, and never outlive the installer."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from installer import children
from tests.installer.made_up import linux

lasting = """
import os, pathlib, sys, time
from installer import children
from installer.machine import Machine
home = pathlib.Path(sys.argv[1])
child = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
children.run(Machine("linux", "x86_64", {}, home), [sys.executable, "-c", child], (home / "pid").write_text)
"""


def test_a_program_is_heard_while_it_runs(tmp_path: Path) -> None:
    heard = list[str]()
    words = [sys.executable, "-c", "import sys; print('zwölf 画像'); print('no', file=sys.stderr); sys.exit(3)"]
    assert children.run(linux(tmp_path), words, heard.append) == (3, "\n".join(heard))
    assert sorted(heard) == ["no", "zwölf 画像"]


def test_a_program_that_is_not_there_has_failed_saying_so(tmp_path: Path) -> None:
    status, said = children.run(linux(tmp_path), [tmp_path / "gone"])
    assert status != 0 and str(tmp_path / "gone") in said


def test_the_environment_is_clean(tmp_path: Path) -> None:
    machine = linux(tmp_path, QT_PLUGIN_PATH="/krita", LD_PRELOAD="", HTTPS_PROXY="proxy:8080")
    words = [sys.executable, "-c", "import os; print(*sorted(os.environ))"]
    said = children.run(machine, words, extra={"MORE": "1"})[1].split()
    assert {"HTTPS_PROXY", "MORE", "HOME"} <= set(said)
    assert not {"QT_PLUGIN_PATH", "LD_PRELOAD"} & set(said)


def test_a_killed_installer_takes_its_programs_along(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", lasting, str(tmp_path)]) as installer:
        pid = _soon(lambda: (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else "")
        assert Path(f"/proc/{pid}").exists()
        installer.kill()
    assert _soon(lambda: "" if Path(f"/proc/{pid}").exists() else "gone")


def _soon(ask: Callable[[], str]) -> str:
    late = time.monotonic() + 30
    while time.monotonic() < late:
        if answer := ask():
            return answer
        time.sleep(0.02)
    return ""
