"""Which backend is chosen, and that it makes no difference to the result."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harmonize_engine
from harmonize_engine import Composite, HarmonizeError, engine
from model_server import backends, state
from model_server.backends import choose
from tests.model_server.conftest import Running
from tests.model_server.processes import root
from tests.model_server.scripted import scripted, telling, well


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARMONIZE_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.delenv("HARMONIZE_TOKEN", raising=False)
    return tmp_path / "run"


def leave_state(port: int, token: str = "t", version: str = harmonize_engine.__version__) -> None:
    state.write(state.State("127.0.0.1", port, token, 1, version, 0.0, ""))


@pytest.mark.parametrize("model", ["parametric", "statistics"])
def test_a_server_and_this_process_give_equal_results(model: str, server: Running, monkeypatch: pytest.MonkeyPatch):
    """Of a composite that is larger and finer than what is sent."""
    monkeypatch.setenv("HARMONIZE_TOKEN", server.token)
    values = np.random.default_rng(3).random((400, 700, 3), np.float32)
    values[100:200, 100:300] *= [0.3, 0.5, 0.9]
    mask = np.zeros((400, 700), np.float32)
    mask[100:200, 100:300] = 0.97
    composite = Composite(values, mask)
    served, here = choose(server.url), choose("in-process")
    assert served.harmonize(composite, model) == here.harmonize(composite, model)
    assert served.weights_sha256(model) == here.weights_sha256(model) == weights(model)
    assert (served.description, here.description) == (f"server 127.0.0.1:{server.port}, cpu", "in-process, cpu")


def weights(model: str) -> str | None:
    return next(known.weights_sha256 for known in engine.models() if known.name == model)


def test_automatic_choice_is_the_server_that_runs(server: Running):
    leave_state(server.port, server.token)
    assert choose("auto").description == f"server 127.0.0.1:{server.port}, cpu"


def test_automatic_choice_is_this_process_where_no_server_runs():
    assert choose("auto").description == "in-process, cpu (no server is running)"
    with scripted(lambda caller, lines: None) as port:
        pass  # the port is free again
    leave_state(port)
    assert choose("auto").description == "in-process, cpu (no server is running)"
    with scripted(telling({"/v1/health": [({"code": "token_wrong", "message": "No."}, 401)]}, [])) as port:
        leave_state(port)  # another program has got the port of a server that was killed
        assert choose("auto").description == "in-process, cpu (no server is running)"


def test_automatic_choice_is_this_process_where_the_server_is_strange(runtime: Path):
    leave_state(9, version="0.0.9")
    assert choose("auto").description == "in-process, cpu (the server that runs is of version 0.0.9)"
    answers: list[Any] = [{"version": "?"}, b"<html>", well | {"status": "stopping"}]
    with scripted(telling({"/v1/health": [(answer,) for answer in answers]}, [])) as port:
        leave_state(port)
        reasons = [choose("auto").description.removeprefix("in-process, cpu ") for _ in answers]
    assert reasons[0] == f"(What answers at http://127.0.0.1:{port} is no Harmonize server)"
    assert reasons[1].startswith("(What answers is no Harmonize server")
    assert reasons[2] == f"(The server at http://127.0.0.1:{port} is stopping)"
    if sys.platform != "win32":
        runtime.chmod(0o755)
        assert choose("auto").description.endswith("is open to others)")


def test_the_token_of_a_named_server_is_found(server: Running, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(HarmonizeError) as raised:
        choose(server.url)
    assert raised.value.code == "token_missing" and "HARMONIZE_TOKEN" in raised.value.hint
    leave_state(server.port + 1, server.token)
    with pytest.raises(HarmonizeError) as raised:
        choose(server.url)
    assert raised.value.code == "token_missing"
    leave_state(server.port, server.token)
    assert choose(server.url).description == choose(f"http://localhost:{server.port}/").description.replace(
        "localhost", "127.0.0.1"
    )
    monkeypatch.setenv("HARMONIZE_TOKEN", "wrong")
    with pytest.raises(HarmonizeError) as raised:
        choose(server.url)
    assert raised.value.code == "token_wrong"


def test_a_named_server_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HARMONIZE_TOKEN", "t")
    with pytest.raises(HarmonizeError) as raised:
        choose("http://127.0.0.1:9")
    assert raised.value.code == "server_gone"
    with pytest.raises(HarmonizeError) as raised:
        choose("sometimes")
    assert raised.value.code == "url_wrong"


def test_working_in_process_loads_nothing_of_the_server():
    script = "import sys; from model_server import backends; backends.choose('in-process'); "
    script += "print(sorted({'requests', 'starlette', 'uvicorn'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=True)
    assert found.stdout.strip() == "[]"
    assert backends.InProcess().description == "in-process, cpu"
