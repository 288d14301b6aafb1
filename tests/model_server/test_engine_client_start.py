"""How the client of the plug-ins starts an engine, and what it does when that dies; real processes."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from model_server import engine_client
from model_server.engine_client import Engine, EngineError, InProcessEngine, connect
from tests.model_server.atelier import Atelier, alone, opened, servers, zombies
from tests.model_server.processes import limit, root, wait_until
from tests.model_server.scripted import nobody, proxy


@pytest.fixture
def atelier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Atelier]:
    with opened(tmp_path, monkeypatch) as atelier:
        yield atelier


def test_an_engine_is_started_and_found_by_the_next_one(atelier: Atelier):
    stages: list[str] = []
    first = connect("server", atelier.command, progress=lambda stage, _: stages.append(stage))
    assert stages == ["finding the engine", "starting the engine"]
    again = connect("server", nobody)
    assert first.health()["pid"] == again.health()["pid"] == atelier.state["pid"]
    assert first.harmonize(proxy()).harmonization == InProcessEngine().harmonize(proxy()).harmonization
    assert alone(atelier)


def test_a_server_killed_between_two_questions_is_replaced_by_the_second(atelier: Atelier):
    engine = connect("server", atelier.command)
    before, description = engine.harmonize(proxy()), engine.description
    atelier.kill()
    assert engine.harmonize(proxy()).harmonization == before.harmonization
    assert engine.description != description
    wait_until(lambda: alone(atelier))


def test_a_server_killed_while_it_looks_is_replaced_and_asked_once_more(atelier: Atelier):
    engine = connect("server", atelier.command)
    before = engine.harmonize(proxy())
    (atelier.folder / "slow").touch()
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(engine.harmonize(proxy())))
    asking.start()
    wait_until((atelier.folder / "looking").exists)
    (atelier.folder / "slow").unlink()
    atelier.kill()
    asking.join(limit)
    assert [answer.harmonization for answer in answers] == [before.harmonization]
    wait_until(lambda: alone(atelier))


def test_a_server_that_goes_by_itself_is_replaced(atelier: Atelier):
    engine = connect("server", atelier.command)
    first = atelier.state["pid"]
    psutil.Process(first).terminate()
    wait_until(lambda: not (atelier.runtime / "server.json").exists())
    assert engine.harmonize(proxy()).device == "cpu"
    assert atelier.state["pid"] != first


def test_many_starts_at_once_make_one_server(atelier: Atelier):
    """Three threads of this process and two other processes."""
    engines: list[Engine] = []
    threads = [threading.Thread(target=lambda: engines.append(connect("server", atelier.command))) for _ in range(3)]
    script = "import sys; sys.path.insert(0, sys.argv[1]); import engine_client\n"
    script += "print(engine_client.connect('server', sys.argv[2:]).health()['pid'])"
    words = [sys.executable, "-c", script, str(root / "model_server"), *atelier.command]
    programs = [subprocess.Popen(words, stdout=subprocess.PIPE) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(limit)
    found = {int(program.communicate(timeout=limit)[0]) for program in programs}
    assert len(engines) == 3
    assert found | {engine.health()["pid"] for engine in engines} == {atelier.state["pid"]}
    wait_until(lambda: alone(atelier))


def test_the_engine_leaves_with_the_program_that_has_started_it(atelier: Atelier):
    script = "import os, sys; sys.path.insert(0, sys.argv[1]); import engine_client\n"
    script += "engine_client.connect('server', sys.argv[2:], follow=os.getpid())"
    subprocess.run([sys.executable, "-c", script, str(root / "model_server"), *atelier.command], check=True, timeout=limit)
    wait_until(lambda: not servers(atelier))
    assert not (atelier.runtime / "server.json").exists()


# --- a start that fails


def failing(script: str) -> EngineError:
    with pytest.raises(EngineError) as raised:
        connect("server", [sys.executable, "-c", script])
    return raised.value


@pytest.fixture(autouse=True)
def nothing_runs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "atelier" not in request.fixturenames:
        monkeypatch.setenv("HARMONIZE_RUNTIME_DIR", str(tmp_path / "nothing"))


def test_a_failed_start_tells_what_the_engine_itself_complains_of(atelier: Atelier):
    atelier.runtime.write_text("a file where a folder should be")
    with pytest.raises(EngineError) as raised:
        connect("server", atelier.command)
    error = raised.value
    assert error.code.startswith("runtime_folder") and str(atelier.runtime) in error.message and error.hint
    assert error.log == str(atelier.folder / "log" / "server.log")
    assert not zombies()


def test_warnings_before_the_announcement_are_passed_over():
    told = {"code": "weights_missing", "message": "The weights are gone.", "hint": "Repair.", "log": "the.log"}
    error = failing(f"import sys; print('a warning', file=sys.stderr); print({json.dumps(told)!r})")
    assert {name: getattr(error, name) for name in told} == told


def test_an_engine_that_crashes_is_told_with_its_last_words():
    error = failing("import no_such_module")
    assert error.code == "engine_not_started" and "No module named 'no_such_module'" in error.message and error.hint


def test_an_engine_that_ends_without_a_word_is_told_so():
    assert failing("").code == "engine_not_started"


def test_a_program_that_is_not_there_is_told_by_name():
    with pytest.raises(EngineError) as raised:
        connect("server", [*nobody, "serve"])
    assert raised.value.code == "engine_not_started" and "no-such-program" in raised.value.message


def test_an_engine_that_starts_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine_client, "start_seconds", 0.5)
    assert failing("import time; time.sleep(60)").code == "engine_slow"

    def sleeps(child: psutil.Process) -> bool:
        try:
            return "time.sleep(60)" in " ".join(child.cmdline())
        except psutil.Error:  # it has ended between two looks
            return False

    wait_until(lambda: not any(map(sleeps, psutil.Process().children())))


def test_an_engine_that_nobody_finds_is_told():
    assert failing('print(\'{"ready": true, "attached": false}\')').code == "engine_lost"


def test_nothing_of_the_host_reaches_the_engine(monkeypatch: pytest.MonkeyPatch):
    hosts = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "QT_PLUGIN_PATH")
    hosts += ("GI_TYPELIB_PATH", "GTK_PATH", "GDK_PIXBUF_MODULE_FILE", "GIMP3_DIRECTORY", "KRITA_NO_STYLE_OVERRIDE")
    environment = dict.fromkeys((*hosts, "PythonStartup"), "x") | {"HOME": "/home/x", "HARMONIZE_LOG_DIR": "x"}
    assert engine_client.clean_environment(environment).keys() == {"HOME", "HARMONIZE_LOG_DIR"}
    monkeypatch.setenv("QT_PLUGIN_PATH", "x")
    monkeypatch.setenv("HARMONIZE_LOG_DIR", "läuft")
    script = "import json, os; print(json.dumps({'code': 'x', 'message': ' '.join(os.environ), 'hint': os.getcwd(), "
    error = failing(script + "'log': os.environ['HARMONIZE_LOG_DIR']}))")
    assert "QT_PLUGIN_PATH" not in error.message.split() and "HARMONIZE_LOG_DIR" in error.message.split()
    assert (error.hint, error.log) == (os.path.realpath(Path.home()), "läuft")


def test_the_engine_has_no_console_window_and_no_ctrl_c_of_another(monkeypatch: pytest.MonkeyPatch):
    no_window, new_group = 0x08000000, 0x00000200
    assert engine_client.start_options("win32") == {"creationflags": no_window | new_group}
    assert engine_client.start_options("linux") == engine_client.start_options("darwin") == {"start_new_session": True}


if os.name == "posix":

    def test_a_host_that_takes_file_names_for_ascii_starts_an_engine_in_a_home_with_accents(tmp_path: Path):
        """The Python inside Krita does, whatever the locale is."""
        engine = tmp_path / "Zoë 画" / "engine"
        engine.parent.mkdir()
        engine.write_text('#!/bin/sh\necho \'{"ready": false, "code": "met", "message": "Met."}\'\n')
        engine.chmod(0o755)
        told = json.dumps(str(engine))  # as engine.json has it
        script = (
            "from model_server.engine_client import connect, EngineError\n"
            f"try: connect('server', [{told}])\n"
            "except EngineError as error: print(error.code)\n"
        )
        variables = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HARMONIZE_RUNTIME_DIR": str(tmp_path)}
        host = [sys.executable, "-c", script]
        ended = subprocess.run(host, env=os.environ | variables, cwd=root, capture_output=True, text=True)
        assert ended.stdout == "met\n", ended.stderr
