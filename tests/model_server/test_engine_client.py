"""What the client of the plug-ins answers, against the real server in a thread and against scripted ones."""

import ast
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import harmonize_engine
from harmonize_engine import Confidence, Harmonization
from harmonize_engine import engine as our_engine
from model_server import engine_client
from model_server.engine_client import Answer, EngineError, InProcessEngine, Proxy, connect
from tests.model_server.conftest import Running
from tests.model_server.proxies import scene
from tests.model_server.scripted import Play, busy, hear, leave_state, nobody, proxy, say, scripted, telling, well

# --- answers


def test_it_is_of_this_version_and_needs_the_standard_library_only():
    assert engine_client.wanted_version == harmonize_engine.__version__
    tree = ast.parse(Path(engine_client.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name for node in imports for name in module_names(node)}
    assert names - sys.stdlib_module_names == {"model_server"}
    top_level = {name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for name in module_names(node)}
    assert top_level <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in imports)


def module_names(node: ast.Import | ast.ImportFrom) -> list[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return [name.split(".")[0] for name in names]


def test_the_server_and_this_process_answer_as_the_engine_does(engine: engine_client.Engine, server: Running):
    image, mask = scene(3)
    expected = our_engine.harmonize(harmonize_engine.Composite(image, mask)).blend(0.5, 0.7)
    background, reference = scene(4)
    for one in (engine, InProcessEngine()):
        answer = one.harmonize(proxy(3), color_strength=0.5, light_strength=0.7, points_for="gimp")
        assert answer.harmonization == json.loads(expected.to_json())
        assert answer.points[0][2]["x"][0] == 0 and answer.points[1] is None
        assert answer.device == "cpu" and answer.timing["batch"] == 1
    planes = {"background": background.tobytes(), "reference_mask": reference.tobytes()}
    with_plate = [one.harmonize(proxy(3, **planes), model="statistics") for one in (engine, InProcessEngine())]
    assert with_plate[0].harmonization == with_plate[1].harmonization != answer.harmonization
    assert engine.description == f"server 127.0.0.1:{server.port}, cpu"
    assert InProcessEngine().description == "in-process, cpu"


@pytest.mark.parametrize("leave", [False, True])
@pytest.mark.parametrize("before", [0.28, 0.53, 0.54, 0.9])
def test_an_answer_says_what_is_advised_and_why_as_the_engine_does(before: float, leave: bool):
    advised = Harmonization((), "test", "1", confidence=Confidence(before, 0.5, leave))
    answer = Answer(json.loads(advised.to_json()), None, {}, "cpu")
    assert (answer.leave, answer.fits) == (advised.leave, advised.fits) == (leave, before >= engine_client.fitting)


def test_a_model_that_judges_nothing_advises_nothing():
    answer = Answer(json.loads(Harmonization((), "test", "1").to_json()), None, {}, "cpu")
    assert (answer.leave, answer.fits) == (False, False)


def test_both_tell_their_models_and_their_health(engine: engine_client.Engine):
    for one in (engine, InProcessEngine()):
        one.harmonize(proxy())
        assert [model["name"] for model in one.models() if model["default"]] == ["parametric"]
        told = one.health()
        assert told["protocol"] in engine_client.protocols and told["device"]["name"] == "cpu"
        assert "parametric" in told["models_loaded"]
    assert engine.health().keys() == InProcessEngine().health().keys()


def test_what_is_wrong_is_told_by_both_in_the_same_words(engine: engine_client.Engine, server: Running):
    told = []
    for one in (engine, InProcessEngine()):
        with pytest.raises(EngineError) as raised:
            one.harmonize(proxy(), model="no-such-model")
        told.append((raised.value.code, raised.value.message, raised.value.hint))
        with pytest.raises(EngineError) as raised:
            one.harmonize(Proxy(10, 10, b"", b""))
        assert raised.value.code == "composite_size"
    assert told[0] == told[1] and told[0][0] == "model_unknown" and "no-such-model" in told[0][1]
    with pytest.raises(EngineError) as raised:
        engine.harmonize(proxy(), model="no-such-model")
    assert raised.value.log == server.service.log_path


def test_the_stages_are_told(engine: engine_client.Engine):
    stages: list[tuple[str, float]] = []
    engine.harmonize(proxy(), progress=lambda stage, fraction: stages.append((stage, fraction)))
    assert stages == [("looking", 0.5), ("done", 1.0)]
    connect("server", nobody, progress=lambda stage, fraction: stages.append((stage, fraction)))
    assert stages[-1] == ("finding the engine", 0.0)


def test_a_connection_is_used_again_and_one_that_was_closed_meanwhile_is_replaced(folder: Path):
    connections: list[int] = []

    def play(caller: socket.socket, lines: Any) -> None:
        connections.append(0)
        for _ in range(3):  # then it hangs up, as a server does with an idle one
            if hear(lines):
                connections[-1] += 1
                say(lines, well)

    with scripted(play) as port:
        leave_state(folder, port)
        engine = connect("server", nobody)
        for _ in range(7):
            engine.health()
    assert connections == [3, 3, 2]


def test_no_proxy_comes_between(engine: engine_client.Engine, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert engine.health()["status"] == "ok"


def test_an_early_refusal_is_read_though_the_rest_cannot_be_sent(folder: Path):
    def play(caller: socket.socket, lines: Any) -> None:
        asks_health = lines.readline().startswith(b"GET")
        while lines.readline().strip():
            pass
        if asks_health:
            return say(lines, well)
        say(lines, {"code": "body_too_large", "message": "Too large.", "hint": "Shrink it."}, 413)
        caller.shutdown(socket.SHUT_RDWR)

    with scripted(play) as port:
        leave_state(folder, port)
        with pytest.raises(EngineError) as raised:
            connect("server", nobody).harmonize(Proxy(1000, 1000, bytes(3_000_000), bytes(1_000_000)))
    assert (raised.value.code, raised.value.hint, raised.value.log) == ("body_too_large", "Shrink it.", "the.log")


# --- a busy, slow or strange server


def test_a_busy_server_is_asked_again_when_it_says_to(folder: Path):
    heard: list[str] = []
    stages: list[str] = []
    answer = {"harmonization": {}, "points": None, "timing": {}, "engine": {"device": "cpu"}}
    with scripted(telling({"/v1/harmonize": [busy(0), busy(1), (answer,)]}, heard)) as port:
        leave_state(folder, port)
        engine = connect("server", nobody)
        began = time.monotonic()
        assert engine.harmonize(proxy(), progress=lambda stage, _: stages.append(stage)).device == "cpu"
    assert time.monotonic() - began >= 1
    assert heard == ["/v1/health", *["/v1/harmonize"] * 3]
    assert stages.count("waiting in line") == 2


def test_a_server_that_stays_busy_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine_client, "busy_seconds", 100.0)
    with scripted(telling({"/v1/harmonize": [busy(101)]}, [])) as port:
        leave_state(folder, port)
        with pytest.raises(EngineError) as raised:
            connect("server", nobody).harmonize(proxy())
    assert raised.value.code == "busy"


@pytest.mark.parametrize(("code", "status"), [("stopping", 503), ("token_wrong", 401)])
def test_a_server_that_leaves_or_has_left_its_port_to_another_is_replaced(
    code: str, status: int, server: Running, folder: Path
):
    def play(caller: socket.socket, lines: Any) -> None:
        while hear(lines) == "/v1/health":
            say(lines, well)
        leave_state(folder, server.port, server.token)
        say(lines, {"code": code, "message": "No.", "hint": ""}, status)

    with scripted(play) as port:
        leave_state(folder, port)
        assert connect("server", nobody).harmonize(proxy()).device == "cpu"


def test_a_question_that_ends_every_server_is_asked_twice_only(folder: Path):
    heard: list[str] = []

    def play(caller: socket.socket, lines: Any) -> None:
        while (path := hear(lines)) == "/v1/health":
            say(lines, well)
        heard.append(path)

    with scripted(play) as port:
        leave_state(folder, port)
        with pytest.raises(EngineError) as raised:
            connect("server", nobody).harmonize(proxy())
    assert raised.value.code == "engine_gone"
    assert heard.count("/v1/harmonize") == 4  # on a connection that was used before and a new one, each time


def dripping(caller: socket.socket, lines: Any) -> None:
    """Health at once, anything else a byte at a time, each well within any limit for a piece."""
    while (path := hear(lines)) == "/v1/health":
        say(lines, well)
    while path:
        caller.sendall(b"H" if path else b"")
        time.sleep(0.05)


def mute(caller: socket.socket, lines: Any) -> None:
    """Health at once, nothing else ever."""
    while hear(lines) == "/v1/health":
        say(lines, well)
    caller.recv(1)


@pytest.mark.parametrize("play", [mute, dripping])
def test_a_server_that_hangs_is_given_up_and_asked_how_it_is_before_it_is_used_again(
    play: Play, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engine_client, "answer_seconds", 0.4)
    with scripted(play) as port:
        leave_state(folder, port)
        engine = connect("server", nobody)
        with pytest.raises(EngineError) as raised:
            engine.harmonize(proxy())
        assert raised.value.code == "engine_silent"
        stages: list[str] = []
        with pytest.raises(EngineError):
            engine.harmonize(proxy(), progress=lambda stage, _: stages.append(stage))
        assert stages[0] == "finding the engine"


@pytest.mark.parametrize("nonsense", [b"", b"{", b"[]", b"\xff", b"null"])
def test_an_answer_that_is_none_is_told_as_such(nonsense: bytes, folder: Path):
    with scripted(telling({"/v1/models": [(nonsense,)]}, [])) as port:
        leave_state(folder, port)
        with pytest.raises(EngineError) as raised:
            connect("server", nobody).models()
    assert raised.value.code == "bad_answer"
