"""Which servers the client of the plug-ins takes for ours, where it looks for them, and what it starts."""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import platformdirs
import platformdirs.macos
import platformdirs.unix
import platformdirs.windows
import pytest
from platformdirs.api import PlatformDirsABC

from model_server import engine_client, state
from model_server.engine_client import EngineError, InProcessEngine, connect
from tests.model_server.conftest import Running
from tests.model_server.scripted import leave_state, nobody, proxy, scripted, telling, well

# --- which server is ours


strange_states = {
    "nothing": b"",
    "half": b'{"host": "127.0.0.1", "port": 80',
    "list": b"[]",
    "deep": b"[" * 60_000,
    "bytes": bytes(range(256)),
    "no token": b'{"host": "127.0.0.1", "port": 80, "version": "1"}',
    "port of text": b'{"host": "127.0.0.1", "port": "80", "token": "t", "version": "1"}',
    "no port at all": b'{"host": "127.0.0.1", "port": 0, "token": "t", "version": "1"}',
    "port too high": b'{"host": "127.0.0.1", "port": 65536, "token": "t", "version": "1"}',
}


@pytest.mark.parametrize("content", strange_states.values(), ids=strange_states.keys())
def test_a_strange_state_counts_as_none(content: bytes, folder: Path):
    path = leave_state(folder, 1)
    path.write_bytes(content)
    with pytest.raises(EngineError) as raised:
        connect("server", nobody)
    assert raised.value.code == "engine_not_started"  # it went on to start one


@pytest.mark.parametrize("token", ["t\r\nX: y", "tökén"])
def test_a_token_that_would_break_the_request_counts_as_none(token: str, folder: Path):
    heard: list[str] = []
    with scripted(telling({}, heard)) as port:
        leave_state(folder, port, token)
        with pytest.raises(EngineError) as raised:
            connect("server", nobody)
    assert raised.value.code == "engine_not_started" and not heard


def test_a_folder_or_a_pipe_in_place_of_the_state_counts_as_none(folder: Path):
    path = folder / "server.json"
    path.mkdir()
    assert engine_client._Server.read(path) is None
    path.rmdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(path, 0o600)  # opening it would wait for ever
        assert engine_client._Server.read(path) is None


if os.name == "posix":

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
    def test_a_state_that_others_can_read_or_write_is_not_trusted(mode: int, server: Running, folder: Path):
        path = leave_state(folder, server.port, server.token)
        assert connect("server", nobody).health()["status"] == "ok"
        path.chmod(mode)
        with pytest.raises(EngineError):
            connect("server", nobody)

    def test_a_state_of_another_user_is_not_trusted(server: Running, folder: Path, monkeypatch: pytest.MonkeyPatch):
        leave_state(folder, server.port, server.token)
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        with pytest.raises(EngineError):
            connect("server", nobody)


strangers = {
    "nobody": None,
    "page": (b"<html>",),
    "refusal": ({"code": "token_wrong", "message": "No.", "hint": ""}, 401),
    "another": ({"hello": "world"},),
    "leaving": (well | {"status": "stopping"},),
    "unnamed device": (well | {"device": None},),
}


@pytest.mark.parametrize("health", strangers.values(), ids=strangers.keys())
def test_a_stranger_on_the_port_is_not_taken_for_the_engine(health: Any, folder: Path):
    answers = {} if health is None else {"/v1/health": [health]}
    with scripted(telling(answers, [])) as port:
        with socket.create_server(("127.0.0.1", 0)) as unused:
            leave_state(folder, port if health else unused.getsockname()[1])
        with pytest.raises(EngineError) as raised:
            connect("server", nobody)
    assert raised.value.code == "engine_not_started"


unknown_protocols = [
    ("9.0.0", {"protocol": "v2"}, "plug-in"),
    ("9.0.0", {"protocol": "v10", "protocols": ["v9", "v10"]}, "plug-in"),
    ("0.0.9", {"protocol": "v0"}, "engine"),
    ("0.0.9", {"protocol": "v0", "protocols": ["v0"]}, "engine"),
    ("0.0.9", {"protocols": "strange"}, "engine"),
    ("0.0.9", {"protocols": []}, "engine"),
]


@pytest.mark.parametrize(("version", "spoken", "outdated"), unknown_protocols)
def test_a_server_of_another_protocol_is_told_with_what_to_update(
    version: str, spoken: dict[str, Any], outdated: str, folder: Path
):
    with scripted(telling({"/v1/health": [(well | spoken,)] * 3}, [])) as port:
        leave_state(folder, port, version=version)
        ready = [sys.executable, "-c", 'print(\'{"ready": true, "attached": true}\')']
        with pytest.raises(EngineError) as raised:
            connect("server", ready)
    assert raised.value.code == "protocol_other"
    assert version in raised.value.message and f"Update the {outdated} " in raised.value.hint


@pytest.mark.parametrize("spoken", [["v1"], ["v1", "v2"], ["v0", "v1"]])
def test_an_engine_that_still_or_also_speaks_our_protocol_will_do(spoken: list[str], folder: Path):
    with scripted(telling({"/v1/health": [(well | {"protocol": "v2", "protocols": spoken},)] * 2}, [])) as port:
        leave_state(folder, port, version="9.0.0")
        assert connect("server", nobody).health()["protocols"] == spoken


def test_the_server_tells_what_the_client_speaks(server: Running, folder: Path):
    leave_state(folder, server.port, server.token)
    told = connect("server", nobody).health()
    assert told["protocol"] == told["protocols"][-1] and set(told["protocols"]) & set(engine_client.protocols)


def test_an_older_server_makes_way_for_the_one_that_is_installed(server: Running, folder: Path, tmp_path: Path):
    """The started program is what replaces the old server; here it leaves the state of the real one."""
    newer = leave_state(tmp_path, server.port, server.token)
    script = 'import os, sys; os.replace(sys.argv[1], sys.argv[2]); print(\'{"ready": true, "attached": false}\')'
    with scripted(telling({}, [])) as port:
        leave_state(folder, port, version="0.0.9")
        engine = connect("server", [sys.executable, "-c", script, str(newer), str(folder / "server.json")])
    assert engine.harmonize(proxy()).device == "cpu"


def test_an_older_server_is_good_enough_where_nothing_newer_is_installed(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine_client, "_command", lambda given: None)
    with scripted(telling({}, [])) as port:
        leave_state(folder, port, version="0.0.9")
        assert connect("server").health()["status"] == "ok"


def test_the_server_that_is_found_is_asked_to_follow(folder: Path):
    heard: list[str] = []
    with scripted(telling({}, heard)) as port:
        leave_state(folder, port)
        connect("server", nobody, follow=os.getpid())
        assert heard == ["/v1/health", "/v1/follow"]


# --- what starts it


def test_the_command_comes_from_the_first_place_that_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = tmp_path / "share" / "harmonize"
    place.mkdir(parents=True)
    programs = tmp_path / "my programs"
    programs.mkdir()
    program = programs / "harmonize"
    program.write_text("#!/bin/sh\n")
    monkeypatch.setenv("XDG_DATA_HOME", str(place.parent))
    monkeypatch.setenv("LOCALAPPDATA", str(place.parent))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("HARMONIZE_ENGINE", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "no home")
    module = ["-I", "-m", "model_server"]

    assert engine_client._command(None) == [sys.executable, *module]
    program.chmod(0o755)
    if os.name == "posix":  # elsewhere it would need an .exe
        assert engine_client._command(None) == [str(program), "serve"]
    (place / "engine.json").write_text(json.dumps({"command": ["/opt/har monize/python", "-m", "x"]}))
    assert engine_client._command(None) == ["/opt/har monize/python", "-m", "x"]
    monkeypatch.setenv("HARMONIZE_ENGINE", "/opt/my harmonize")
    assert engine_client._command(None) == ["/opt/my harmonize", "serve"]
    monkeypatch.setenv("HARMONIZE_ENGINE", "/opt/env/bin/python3.13")
    assert engine_client._command(None) == ["/opt/env/bin/python3.13", *module]
    assert engine_client._command(["this"]) == ["this"]


@pytest.mark.parametrize("content", ["", "[]", '{"command": []}', '{"command": "rm"}', '{"command": [1]}'])
def test_a_strange_engine_json_is_passed_over(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    only(tmp_path, monkeypatch)
    (tmp_path / "harmonize").mkdir()
    (tmp_path / "harmonize" / "engine.json").write_text(content)
    assert engine_client._command(None) is None


if os.name == "posix":

    def test_an_engine_json_that_anybody_may_write_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        only(tmp_path, monkeypatch)
        (tmp_path / "harmonize").mkdir()
        path = tmp_path / "harmonize" / "engine.json"
        path.write_text('{"command": ["this"]}')
        path.chmod(0o664)
        assert engine_client._command(None) == ["this"]
        path.chmod(0o666)
        assert engine_client._command(None) is None


def only(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host's Python, with nothing on the path, and this folder for programs' data."""
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    monkeypatch.setenv("LOCALAPPDATA", str(data))
    monkeypatch.setenv("PATH", str(data))
    monkeypatch.delenv("HARMONIZE_ENGINE", raising=False)
    monkeypatch.setattr(Path, "home", lambda: data / "no home")
    monkeypatch.setattr(sys, "executable", "/usr/bin/krita")  # starting that for an engine would be a surprise


def test_where_nothing_is_installed_that_is_what_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    only(tmp_path, monkeypatch)
    with pytest.raises(EngineError) as raised:
        connect("server")
    assert raised.value.code == "engine_missing" and "installer" in raised.value.hint


def test_automatic_choice_works_in_this_process_where_there_is_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    engine = connect("auto", nobody)
    assert isinstance(engine, InProcessEngine)
    assert engine.description.startswith("in-process, cpu (no-such-program could not be started")
    assert isinstance(connect("in-process"), InProcessEngine)
    monkeypatch.setattr(engine_client.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError):
        connect("auto", nobody)


def test_automatic_choice_prefers_a_server(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HARMONIZE_RUNTIME_DIR", str(tmp_path))
    leave_state(tmp_path, server.port, server.token)
    assert connect(command=nobody).description == f"server 127.0.0.1:{server.port}, cpu"


# --- where it looks

unix, macos, windows = platformdirs.unix.Unix, platformdirs.macos.MacOS, platformdirs.windows.Windows
platforms = [("linux", unix), ("darwin", macos), ("win32", windows)] if os.name == "posix" else [("win32", windows)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a home and no variables that say where what lies."""
    for name in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME", "HARMONIZE_RUNTIME_DIR", "FLATPAK_ID", "SNAP", "SNAP_REAL_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "AppData" / "Local"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


def usual(kind: type[PlatformDirsABC], monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The runtime folder, as the server chooses it, and the folder of data, as the installer does."""
    monkeypatch.setattr(platformdirs.windows, "get_win_folder", platformdirs.windows.get_win_folder_from_env_vars)
    monkeypatch.setattr(
        platformdirs, "user_runtime_path", lambda *names, **options: kind(*names, **options).user_runtime_path
    )
    return state._place(), kind("harmonize", appauthor=False).user_data_path


@pytest.mark.parametrize(("platform", "kind"), platforms)
def test_it_looks_where_the_server_and_the_installer_write(
    platform: str, kind: type[PlatformDirsABC], home: Path, monkeypatch: pytest.MonkeyPatch
):
    runtime, data = usual(kind, monkeypatch)
    assert runtime in engine_client.runtime_folders(os.environ, platform)
    assert data == engine_client.data_folders(os.environ, platform)[0]


@pytest.mark.parametrize(("platform", "kind"), platforms)
def test_it_looks_first_where_the_user_wants_things_to_be(
    platform: str, kind: type[PlatformDirsABC], home: Path, monkeypatch: pytest.MonkeyPatch
):
    (home / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "share"))
    runtime, data = usual(kind, monkeypatch)
    assert runtime == engine_client.runtime_folders(os.environ, platform)[0]
    assert data == engine_client.data_folders(os.environ, platform)[0]
    monkeypatch.setenv("HARMONIZE_RUNTIME_DIR", str(home / "chosen"))
    assert [state._place()] == engine_client.runtime_folders(os.environ, platform) == [home / "chosen"]


if os.name == "posix":

    def test_it_also_looks_where_the_server_goes_if_the_users_folder_is_not_safe(
        home: Path, monkeypatch: pytest.MonkeyPatch
    ):
        (home / "run").mkdir(mode=0o755)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
        runtime, _ = usual(unix, monkeypatch)
        assert runtime != home / "run" / "harmonize"
        assert runtime in engine_client.runtime_folders(os.environ, "linux")


def test_a_flatpak_and_a_snap_look_outside_of_their_own_folders_too():
    flatpak = {"XDG_RUNTIME_DIR": "/run/user/7", "FLATPAK_ID": "org.kde.krita"}
    assert Path("/run/user/7/app/org.kde.krita/harmonize") in engine_client.runtime_folders(flatpak, "linux")
    snap = {"XDG_RUNTIME_DIR": "/run/user/7/snap.gimp", "SNAP": "/snap/gimp/1", "SNAP_REAL_HOME": "/home/x"}
    assert Path("/run/user/7/harmonize") in engine_client.runtime_folders(snap, "linux")
    assert Path("/home/x/.local/share/harmonize") in engine_client.data_folders(snap, "linux")
    sandboxed = {"XDG_DATA_HOME": "/home/x/.var/app/org.kde.krita/data"}
    assert Path.home() / ".local/share/harmonize" in engine_client.data_folders(sandboxed, "linux")
