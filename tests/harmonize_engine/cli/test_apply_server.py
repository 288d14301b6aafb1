"""`harmonize apply --server`: a server that runs does the looking, and nothing else changes."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import harmonize_engine
from model_server import state
from model_server.limits import Limits
from model_server.shelf import Shelf
from tests.harmonize_engine.cli.conftest import Desk, scene
from tests.model_server.conftest import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(Shelf(None, "cpu", (), Limits().model_memory), tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs that this test has not started."""
    monkeypatch.setenv("HARMONIZE_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.delenv("HARMONIZE_TOKEN", raising=False)


def known(server: Running) -> None:
    state.write(state.State("127.0.0.1", server.port, server.token, 1, harmonize_engine.__version__, 0.0, ""))


def looked(server: Running) -> int:
    return server.log.count("/v1/harmonize 200")


def told(ran: object, label: str) -> str:
    return next(line for line in ran.out.splitlines() if line.startswith(label)).removeprefix(label).strip()


@pytest.mark.parametrize("model", ["parametric", "statistics"])
@pytest.mark.parametrize("size", [(48, 64), (600, 800)])
def test_the_pictures_are_the_same_whoever_looks(model: str, size: tuple[int, int], desk: Desk, server: Running):
    composite, mask = scene(height=size[0], width=size[1])
    desk.write("composite.png", composite)
    desk.write("mask.png", mask)
    before = looked(server)
    here = desk.apply("--model", model, "--always", "-o", desk / "here.png", desk / "here.json")
    assert looked(server) == before and told(here, "engine") == "in-process, cpu"
    known(server)
    there = desk.apply("--model", model, "--always", "--server", "auto", "-o", desk / "there.png", desk / "there.json")
    assert looked(server) == before + 1 and told(there, "engine") == f"server 127.0.0.1:{server.port}, cpu"
    assert (desk / "here.json").read_bytes() == (desk / "there.json").read_bytes()
    assert (desk.pixels("here.png") == desk.pixels("there.png")).all()


def test_strengths_plate_and_reference_make_no_difference_either(desk: Desk, server: Running):
    words = ("--background", desk / "background.png", "--reference", desk / "background.png", "--color-strength", "0.4")
    here = desk.apply(*words, "--json")
    known(server)
    there = desk.apply(*words, "--json", "--server", "auto")
    assert json.loads(here.out) == json.loads(there.out)


def test_automatic_choice_does_without_a_server_and_says_so(desk: Desk):
    ran = desk.apply("--server", "auto", "-o", desk / "out.png")
    assert ran.status == 0
    assert told(ran, "engine") == "in-process, cpu (no server is running)"


def test_a_server_can_be_named(desk: Desk, server: Running, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HARMONIZE_TOKEN", server.token)
    ran = desk.apply("--server", f"http://localhost:{server.port}", "-o", desk / "out.png")
    assert told(ran, "engine") == f"server localhost:{server.port}, cpu"


def test_a_named_server_that_cannot_be_used_is_an_error(desk: Desk, server: Running, monkeypatch: pytest.MonkeyPatch):
    desk.apply_refused("token_missing", "--server", server.url)
    desk.apply_refused("url_wrong", "--server", "sometimes")
    monkeypatch.setenv("HARMONIZE_TOKEN", "wrong")
    desk.apply_refused("token_wrong", "--server", server.url)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    desk.apply_refused("server_gone", "--server", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("HARMONIZE_TOKEN", server.token)
    desk.apply_refused("model_unknown", "--server", server.url, "--model", "no-such-model")


def test_a_folder_is_done_by_a_server_too_and_stays_done_whoever_looks(desk: Desk, server: Running):
    for folder, name in (("pictures", "composite.png"), ("masks", "mask.png")):
        (desk / folder).mkdir()
        for stem in "abc":
            (desk / folder / f"{stem}.png").write_bytes((desk / name).read_bytes())
    known(server)
    before = looked(server)
    words = ("apply", desk / "pictures", "--mask", desk / "masks", "-o", desk / "results", "--workers", "3", "--always")
    ran = desk.harmonize(*words, "--server", "auto")
    assert ran.status == 0 and looked(server) == before + 3
    assert told(ran, "engine") == f"server 127.0.0.1:{server.port}, cpu"
    assert "3 already done" in desk.harmonize(*words).out
