import json
import os
import stat
import threading
from dataclasses import asdict, replace
from pathlib import Path

import platformdirs
import pytest

from harmonize_engine.errors import HarmonizeError
from model_server import state
from model_server.state import State

there = State("127.0.0.1", 41234, "secret", 4711, "0.1.0", 1763676000.25, "server.log")
posix = pytest.mark.skipif(os.name == "nt", reason="mode bits are POSIX")


@pytest.fixture(autouse=True)
def runtime(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "run" / "harmonize"
    monkeypatch.setenv("HARMONIZE_RUNTIME_DIR", str(folder))
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_read():
    state.write(there)
    assert state.read() == there


@posix
def test_nobody_else_can_read_it_whatever_the_umask(runtime):
    before = os.umask(0)
    try:
        state.write(there)
    finally:
        os.umask(before)
    assert mode(runtime / "server.json") == 0o600
    assert mode(runtime) == mode(runtime.parent) == 0o700


def test_the_file_is_whole_or_not_there(runtime, monkeypatch):
    state.write(there)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dump", fail)
    with pytest.raises(HarmonizeError) as caught:
        state.write(replace(there, port=1))
    assert caught.value.code == "state_not_written"
    assert state.read() == there
    assert [file.name for file in runtime.iterdir()] == ["server.json"]


def test_clearing_leaves_nothing_not_even_of_a_server_killed_while_writing(runtime):
    state.write(there)
    (runtime / "server.json.partial").write_text("{")
    state.clear()
    state.clear()
    assert list(runtime.iterdir()) == []


def test_reading_where_there_is_nothing_makes_nothing(runtime):
    assert state.read() is None
    assert not runtime.exists()


def test_nothing_else_is_needed_to_find_the_folder_than_the_platforms_rule(monkeypatch, tmp_path):
    monkeypatch.delenv("HARMONIZE_RUNTIME_DIR")
    monkeypatch.setattr(platformdirs, "user_runtime_path", lambda name, appauthor: tmp_path / "usual" / name)
    assert state.folder() == tmp_path / "usual" / "harmonize"


@posix
@pytest.mark.parametrize("open_to", [0o040, 0o004, 0o020, 0o001])
def test_a_folder_open_to_others_is_refused(runtime, open_to):
    runtime.mkdir(parents=True)
    runtime.chmod(0o700 | open_to)
    for use in (state.folder, state.read, state.clear, lambda: state.write(there)):
        with pytest.raises(HarmonizeError, match="is open to others") as caught:
            use()
        assert caught.value.code == "runtime_folder_refused"


@posix
def test_a_folder_of_someone_else_is_refused(monkeypatch):
    state.write(there)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(HarmonizeError, match="belongs to someone else") as caught:
        state.read()
    assert caught.value.code == "runtime_folder_refused"


@posix
@pytest.mark.parametrize("open_to", [0o040, 0o004])
def test_a_file_open_to_others_is_refused(runtime, open_to):
    state.write(there)
    (runtime / "server.json").chmod(0o600 | open_to)
    with pytest.raises(HarmonizeError, match="is open to others") as caught:
        state.read()
    assert caught.value.code == "state_refused"


@posix
def test_a_file_of_someone_else_is_refused(monkeypatch):
    state.write(there)
    refuse = state._refuse_others

    def someone_elses_files(found, path, code, subject):
        if path.name == "server.json":
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        refuse(found, path, code, subject)

    monkeypatch.setattr(state, "_refuse_others", someone_elses_files)
    with pytest.raises(HarmonizeError, match=r"server.json belongs to someone else") as caught:
        state.read()
    assert caught.value.code == "state_refused"


@posix
def test_a_link_is_refused_as_folder_and_as_file(runtime, tmp_path):
    state.write(there)
    (runtime / "server.json").rename(tmp_path / "elsewhere.json")
    (runtime / "server.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(HarmonizeError) as caught:
        state.read()
    assert caught.value.code == "state_refused"
    runtime.rename(tmp_path / "elsewhere")
    runtime.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HarmonizeError) as caught:
        state.folder()
    assert caught.value.code == "runtime_folder_refused"


@posix
def test_a_pipe_in_its_place_does_not_hold_the_reader(runtime):
    state.folder()
    os.mkfifo(runtime / "server.json", 0o600)
    found: list[State | None] = []
    reading = threading.Thread(target=lambda: found.append(state.read()), daemon=True)
    reading.start()
    reading.join(30)
    assert found == [None]


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARMONIZE_RUNTIME_DIR", str(tmp_path / "file" / "run"))
    with pytest.raises(HarmonizeError) as caught:
        state.folder()
    assert caught.value.code == "runtime_folder_missing"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "\xff",
        "[" * 10000,
        json.dumps(asdict(there) | {"port": 0}),
        json.dumps(asdict(there) | {"port": "41234"}),
        json.dumps(asdict(there) | {"port": True}),
        json.dumps(asdict(there) | {"pid": -1}),
        json.dumps(asdict(there) | {"pid": 1.5}),
        json.dumps(asdict(there) | {"token": None}),
        json.dumps({"port": 41234}),
        " " * state.largest + json.dumps(asdict(there)),
    ],
)
def test_a_file_that_makes_no_sense_is_no_state(runtime, content):
    state.write(there)
    (runtime / "server.json").write_text(content, encoding="latin-1")
    assert state.read() is None


def test_a_newer_server_may_tell_more(runtime):
    state.write(there)
    (runtime / "server.json").write_text(json.dumps(asdict(there) | {"mood": "well"}))
    assert state.read() == there


def test_an_address_stands_in_a_url():
    assert there.url == "http://127.0.0.1:41234"
    assert replace(there, host="::1").url == "http://[::1]:41234"
