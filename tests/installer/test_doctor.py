"""The doctor's rows: each thing that can be wrong, found on machines made up for it, and what is said to mend it."""

import argparse
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from installer import doctor, doctor_engine, doctor_server, editors, programs
from installer import engine as engines
from installer.editors import Editor
from installer.engine import Installed
from installer.failure import InstallError
from installer.machine import Machine
from installer.payload import Payload
from installer.rows import Row
from tests.installer.made_up import linux
from tests.model_server.scripted import scripted, telling


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = linux(tmp_path / "home", HARMONIZE_RUNTIME_DIR=str(tmp_path / "run"))
    made.data.mkdir(parents=True)
    return made


def python_that(tmp_path: Path, does: str) -> Path:
    """A program in the place of the engine's Python."""
    path = tmp_path / "python"
    path.write_text(f"#!{sys.executable}\nimport sys\n{does}\n")
    path.chmod(0o755)
    return path


Install = Callable[..., Installed]


@pytest.fixture
def install(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Has an engine installed, which is well unless told otherwise."""

    def install(does: str = "print('{}')", version: str = "0.1.0", healthy: bool = True) -> Installed:
        python = python_that(tmp_path, does)
        told = {"command": [str(python), "-m", "model_server"], "version": version}
        (machine.data / "engine.json").write_text(json.dumps(told))
        (machine.data / "engine.json").chmod(0o600)
        installed = Installed(version, "cpu", python, healthy, None)
        monkeypatch.setattr(engines, "installed", lambda machine: installed)
        return installed

    return install


def only(rows: list[Row], what: str) -> Row:
    (row,) = [row for row in rows if row.what == what]
    return row


# --- the engine


def test_no_engine_is_a_problem_for_the_installer_and_none_for_an_engine_that_asks(machine: Machine):
    row = only(list(doctor_engine.rows(machine)), "installed engine")
    assert (row.ok, row.found) == (False, "none") and "harmonize-install.pyz" in row.todo
    assert only(list(doctor_engine.rows(machine, needed=False)), "installed engine").ok


def test_an_engine_that_is_well(machine: Machine, install: Install):
    install()
    assert all(row.ok for row in doctor_engine.rows(machine))


def test_an_engine_that_does_not_start_is_to_be_repaired(machine: Machine, install: Install):
    install(healthy=False)
    row = only(list(doctor_engine.rows(machine)), "installed engine")
    assert not row.ok and "damaged" in row.found and row.todo == "Run: harmonize repair"


def test_an_engine_that_cannot_even_be_looked_at_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    def refuse(machine: Machine) -> None:
        raise InstallError("not_allowed", "You may not read it.", "Ask for the right.")

    monkeypatch.setattr(engines, "installed", refuse)
    assert list(doctor_engine.rows(machine)) == [
        Row("installed engine", False, "You may not read it.", "Ask for the right.")
    ]


def test_an_interrupted_installation_is_told(machine: Machine, install: Install):
    install()
    (machine.data / "versions/0.2.0.partial").mkdir(parents=True)
    row = only(list(doctor_engine.rows(machine)), "unfinished set-up")
    assert not row.ok and row.found.endswith("0.2.0.partial")


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"command": "x"}', '{"command": ["/other/python"]}'])
def test_an_engine_json_that_starts_nothing_or_something_else_is_told(machine: Machine, install: Install, content):
    install()
    path = machine.data / "engine.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    assert not only(list(doctor_engine.rows(machine)), "engine.json").ok


if os.name == "posix":

    def test_an_engine_json_that_others_may_change_is_told(machine: Machine, install: Install):
        install()
        (machine.data / "engine.json").chmod(0o666)
        row = only(list(doctor_engine.rows(machine)), "engine.json")
        assert not row.ok and row.todo == f'Close it: chmod 600 "{machine.data / "engine.json"}"'


def test_what_the_engine_says_of_itself_is_passed_on(machine: Machine, tmp_path: Path):
    check = {"what": "weights", "ok": False, "found": "changed", "todo": "Install again."}
    python = python_that(tmp_path, f"print({json.dumps(json.dumps({'checks': [check]}))}); sys.exit(2)")
    assert list(doctor_engine.inside(machine, python)) == [Row("weights", False, "changed", "Install again.")]


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("sys.exit('libgomp is missing')", "libgomp is missing"),
        ("sys.exit(3)", "the engine ended with status 3"),
        ("print('[]')", "the engine's answer is strange"),
        ("import time; time.sleep(60)", "the engine did not answer within 1 seconds"),
    ],
)
def test_an_engine_that_does_not_answer_is_told(machine, tmp_path, monkeypatch, does: str, told: str):
    monkeypatch.setattr(doctor_engine, "patience", 1.0)
    (row,) = doctor_engine.inside(machine, python_that(tmp_path, does))
    assert not row.ok and row.found == told and row.todo == "Run: harmonize repair"


def test_an_engine_that_is_gone_is_told(machine: Machine):
    (row,) = doctor_engine.inside(machine, machine.home / "python")
    assert "could not be started: No such file or directory" in row.found


def test_the_engine_is_asked_apart_from_what_surrounds_the_doctor(machine: Machine, tmp_path: Path):
    """Variables of an editor, as an AppImage's, would lead it to other libraries."""
    python = python_that(tmp_path, "import json, os; print(json.dumps(dict(os.environ)))")
    around = {"PYTHONPATH": "/krita", "LD_LIBRARY_PATH": "/krita", "QT_PLUGIN_PATH": "/krita", "MINE": "1"}
    told = doctor_engine.said(linux(machine.home, **around), python, [])
    assert told["MINE"] == "1" and not set(told) & (set(around) - {"MINE"})


# --- the server


def test_a_click_that_works_and_one_that_does_not(machine: Machine, tmp_path: Path):
    well = python_that(tmp_path, 'print(\'{"found": "server 127.0.0.1:1, cpu: answered in 20 ms"}\')')
    assert doctor_server.asked(machine, well) == Row("a click", True, "server 127.0.0.1:1, cpu: answered in 20 ms")
    ill = python_that(tmp_path, 'print(\'{"message": "It hangs.", "hint": "Wait.", "log": "/x/server.log"}\')')
    assert doctor_server.asked(machine, ill) == Row("a click", False, "It hangs.", "Wait. Its log is /x/server.log")


def leave_note(machine: Machine, port: int) -> Path:
    folder = machine.runtime_folders[0]
    folder.mkdir(mode=0o700, exist_ok=True)
    note = folder / "server.json"
    note.write_text(json.dumps({"host": "127.0.0.1", "port": port, "token": "t"}))
    note.chmod(0o600)
    return note


def test_no_server_is_no_problem(machine: Machine):
    assert [row.ok for row in doctor_server.rows(machine, "0.1.0")] == [True]


@pytest.mark.parametrize(
    ("health", "ok", "told"),
    [
        ({"version": "0.1.0", "device": {"name": "cpu"}}, True, "0.1.0 at 127.0.0.1:"),
        ({"version": "0.0.9", "device": {"name": "cpu"}}, False, "installed is 0.1.0"),
        ({"version": "0.1.0", "log_problem": "The log is full."}, False, "The log is full."),
        ([1], False, "does not answer"),
    ],
)
def test_a_server_is_asked_how_it_is(machine: Machine, health, ok: bool, told: str):
    with scripted(telling({"/v1/health": [(health,)]}, [])) as port:
        leave_note(machine, port)
        row = only(list(doctor_server.rows(machine, "0.1.0")), "server")
    assert row.ok is ok and told in row.found and bool(row.todo) is not ok


def test_a_note_of_a_server_that_is_gone_is_told(machine: Machine):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        leave_note(machine, unused.getsockname()[1])
    row = only(list(doctor_server.rows(machine, None)), "server")
    assert not row.ok and "does not answer" in row.found and "serve --stop" in row.todo


if os.name == "posix":

    @pytest.mark.parametrize("which", ["note", "folder"])
    def test_a_token_that_others_can_read_is_told(machine: Machine, which: str):
        note = leave_note(machine, 1)
        path = note if which == "note" else note.parent
        path.chmod(path.stat().st_mode | 0o004)
        row = only(list(doctor_server.rows(machine, None)), "token file")
        assert not row.ok and "is open to others" in row.found and str(path) in row.todo

    def test_a_token_of_somebody_else_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch):
        leave_note(machine, 1)
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        assert "belongs to someone else" in only(list(doctor_server.rows(machine, None)), "token file").found


# --- the editors


@pytest.fixture
def krita(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Editor:
    editor = Editor("krita", "5.3.4", "system", machine.home / "pykrita", None)
    monkeypatch.setattr(editors, "find", lambda machine: [editor, editor])
    return editor


def put_plugin(editor: Editor, version: str | None) -> None:
    path = editor.plugins / "harmonize_krita/engine_client.py"
    path.parent.mkdir(parents=True)
    path.write_text("# Part of Harmonize.\n" + (f'wanted_version = "{version}"\n' if version else ""))


def editors_rows(machine: Machine, version: str | None) -> list[Row]:
    return [row for row in doctor.rows(machine, None, inside=()) if row.what.startswith("Krita")]


def test_no_editor_is_no_problem(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(programs, "installed", lambda *_: [])
    row = only(list(doctor.rows(machine, None, inside=())), "editors")
    assert row.ok and "Install one of them." in row.todo


def test_an_editor_where_the_plug_in_was_never_wanted_is_no_problem(machine: Machine, krita: Editor):
    (row,) = editors_rows(machine, None)
    assert row.ok and row.found == "without Harmonize" and row.todo.endswith("harmonize install --editor krita")


@pytest.mark.parametrize(
    ("plugin", "engine", "todo"),
    [
        ("0.1.0", "0.1.0", ""),
        ("0.1.0", "0.2.0", "Update the plug-in: run harmonize-install.pyz of Harmonize 0.2.0 or newer."),
        ("0.10.0", "0.9.0", "Update the engine: run harmonize-install.pyz of Harmonize 0.10.0 or newer."),
        (None, "0.1.0", "Run: harmonize install"),
    ],
)
def test_plug_in_and_engine_should_be_of_one_version(machine, krita, install, plugin, engine, todo):
    install(version=engine)
    put_plugin(krita, plugin)
    row = only(editors_rows(machine, engine), "Krita 5.3.4: version")
    assert row.ok is not bool(todo) and row.todo == todo


def test_the_plug_in_is_looked_at_as_the_editor_will_see_it(machine, krita, install, tmp_path):
    install()
    put_plugin(krita, "0.1.0")
    folder = tmp_path / "payload"
    (folder / "krita/harmonize_krita").mkdir(parents=True)
    (folder / "krita/harmonize_krita/docker.py").write_text("")
    (folder / "harmonize-0.1.0-py3-none-any.whl").touch()
    rows = list(doctor.rows(machine, Payload(folder, folder), inside=()))
    row = only(rows, "Krita 5.3.4")
    assert not row.ok and "docker.py" in row.found and row.todo == "Run: harmonize repair"


# --- around it, and how it is told


def test_an_engine_chosen_by_a_variable_is_told_and_must_be_there(machine: Machine):
    for chosen, ok in ((sys.executable, True), ("/gone/python", False)):
        around = linux(machine.home, HARMONIZE_ENGINE=chosen)
        assert only(list(doctor.rows(around, None, inside=())), "HARMONIZE_ENGINE").ok is ok


def chosen(**options: object) -> argparse.Namespace:
    return argparse.Namespace(**{"json": False, "report": None, **options})


def test_the_table_has_a_line_for_each_row_and_one_for_what_to_do(machine: Machine, capsys: pytest.CaptureFixture[str]):
    rows = [Row("weights", True, "SHA-256 is right"), Row("server", False, "hangs", "Wait.")]
    with pytest.raises(InstallError) as raised:
        doctor.tell(rows, machine, chosen(), "0.1.0")
    assert raised.value.code == "problems_found" and raised.value.message == "Found 1 problem."
    assert capsys.readouterr().out.splitlines() == [
        "ok       weights                SHA-256 is right",
        "PROBLEM  server                 hangs",
        "                                Wait.",
    ]


def test_the_table_as_json_and_a_report(machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = [Row("weights", True, f"in {machine.home}/.local")]
    path = tmp_path / "report.txt"
    doctor.tell(rows, machine, chosen(json=True, report=path), "0.1.0")
    told = capsys.readouterr()
    assert json.loads(told.out) == {"version": "0.1.0", "ok": True, "checks": [vars(rows[0])]}
    assert "ok       weights                in ~/.local\n" in path.read_text()
    assert str(path) in told.err


def test_a_report_that_cannot_be_written_is_one_sentence(machine: Machine, tmp_path: Path):
    with pytest.raises(InstallError) as raised:
        doctor.tell([], machine, chosen(report=tmp_path / "gone" / "report.txt"), "0.1.0")
    assert "report.txt" in raised.value.message
