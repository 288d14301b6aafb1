"""The client for Python programs, against the real server."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from harmonize_engine import Composite, HarmonizeError, engine, pictures, render
from harmonize_engine.pictures import Picture
from model_server import client as clients
from model_server import proxy, state
from model_server.client import Client
from tests.model_server.conftest import Running, Serve
from tests.model_server.proxies import scene
from tests.model_server.scripted import scripted, telling


@pytest.fixture
def client(server: Running):
    with Client(server.url, server.token) as client:
        yield client


def client_of(port: int) -> Client:
    return Client(f"http://127.0.0.1:{port}", "t")


def composite(seed: int = 0, **others: np.ndarray) -> Composite:
    image, mask = (plane.astype(np.float32) / 255 for plane in scene(seed))
    return Composite(image, mask, **others)


@pytest.mark.parametrize("model", ["parametric", "statistics"])
def test_the_answer_is_equal_to_the_engines(model: str, client: Client):
    plate, reference = (plane.astype(np.float32) / 255 for plane in scene(8))
    for asked in (composite(1), composite(1, background=plate, reference=reference)):
        assert client.harmonize(asked, model) == engine.harmonize(proxy.eight_bit(asked), model)
    weaker = client.harmonize(composite(1), model, color_strength=0.3, light_strength=0)
    assert weaker == engine.harmonize(proxy.eight_bit(composite(1)), model).blend(0.3, 0)


def test_large_and_finer_composites_are_sent_small_and_in_8_bits():
    image = np.random.default_rng(0).random((600, 1024, 3), np.float32)
    sent = proxy.eight_bit(Composite(image, image[..., 0], image, image[..., 1]))
    assert sent.image.shape == sent.background.shape == (300, 512, 3)
    assert sent.mask.shape == sent.reference.shape == (300, 512)
    means = image.reshape(300, 2, 512, 2, 3).mean((1, 3))
    assert sent.image.dtype == np.uint8 and np.abs(sent.image / 255 - means).max() <= 0.5 / 255 + 1e-6
    assert (proxy.eight_bit(sent).image == sent.image).all()


def test_numbers_that_are_none_are_refused_before_they_are_sent(client: Client):
    image, mask = np.full((64, 64, 3), np.nan, np.float32), np.ones((64, 64), np.float32)
    with pytest.raises(HarmonizeError) as raised:
        client.harmonize(Composite(image, mask))
    assert raised.value.code == "not_finite"


def test_a_picture_is_rendered_as_the_renderer_does(client: Client, tmp_path: Path):
    image, mask = scene(2)
    found = engine.harmonize(composite(2))
    pictures.write(Picture(image), tmp_path / "picture.png")
    pictures.write(Picture(np.repeat(mask[..., None], 3, axis=-1)), tmp_path / "mask.png")
    files = (tmp_path / "picture.png").read_bytes(), found, (tmp_path / "mask.png").read_bytes()
    (tmp_path / "out.tif").write_bytes(client.render(*files, color_strength=0.5, light_strength=0.25, kind="tif"))
    assert (pictures.read(tmp_path / "out.tif").pixels == render(image, mask, found, 0.5, 0.25)).all()
    (tmp_path / "all.png").write_bytes(client.render(files[0], found))
    everywhere = np.full_like(mask, 255)
    assert (pictures.read(tmp_path / "all.png").pixels == render(image, everywhere, found)).all()


def test_models_and_health_are_told(client: Client):
    assert {model["name"] for model in client.models()} == {model.name for model in engine.models()}
    assert client.health()["status"] == "ok"


def test_what_the_server_complains_of_is_raised(client: Client, server: Running):
    with pytest.raises(HarmonizeError) as raised:
        client.harmonize(composite(), "no-such-model")
    assert raised.value.code == "model_unknown" and "no-such-model" in raised.value.message and raised.value.hint
    with Client(server.url, "wrong") as stranger, pytest.raises(HarmonizeError) as raised:
        stranger.models()
    assert raised.value.code == "token_wrong"
    with pytest.raises(HarmonizeError) as raised:
        client.render(b"no picture", engine.harmonize(composite()))
    assert raised.value.code == "format_unknown"


def test_a_server_can_be_stopped(serve: Serve):
    server = serve()
    stopped: list[str] = []
    server.service.life.stop = lambda: stopped.append("stop")
    with Client(server.url, server.token) as client:
        client.stop()
    assert stopped == ["stop"]


def test_the_server_of_this_user_is_found(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HARMONIZE_RUNTIME_DIR", str(tmp_path / "run"))
    with pytest.raises(HarmonizeError) as raised:
        Client.from_state()
    assert raised.value.code == "server_missing" and "harmonize serve" in raised.value.hint
    state.write(state.State("127.0.0.1", server.port, server.token, 1, "1", 0.0, ""))
    with Client.from_state() as client:
        assert client.url == server.url and client.health()["status"] == "ok"


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://x", "http://", "http://x/path", "http://x:99999", "http://u@x"])
def test_an_address_that_is_none_is_refused(url: str):
    with pytest.raises(HarmonizeError) as raised:
        Client(url, "")
    assert raised.value.code == "url_wrong"


def test_neither_proxies_nor_netrc_come_between(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert client.health()["status"] == "ok"


def test_a_token_follows_no_redirection():
    heard: list[str] = []
    elsewhere = ({}, 307, "Location: /elsewhere\r\n")
    with (
        scripted(telling({"/v1/health": [elsewhere]}, heard)) as port,
        client_of(port) as client,
        pytest.raises(HarmonizeError),
    ):
        client.health()
    assert heard == ["/v1/health"]


def test_a_busy_server_is_asked_again_and_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch):
    busy = {"code": "busy", "message": "Busy.", "hint": "Wait."}
    answers = [(busy, 429, "Retry-After: 1\r\n"), ({"models": []},), (busy, 429, "Retry-After: 100\r\n")]
    with scripted(telling({"/v1/models": answers}, [])) as port, client_of(port) as client:
        began = time.monotonic()
        assert client.models() == []
        assert time.monotonic() - began >= 1
        with pytest.raises(HarmonizeError) as raised:
            client.models()
    assert raised.value.code == "busy"


def test_nobody_there_and_nobody_who_answers_are_told(monkeypatch: pytest.MonkeyPatch):
    with scripted(lambda caller, lines: caller.recv(1 << 16) and caller.recv(1)) as port:
        client = Client(f"http://127.0.0.1:{port}/", "t")
        monkeypatch.setattr(clients, "health_seconds", 0.2)
        with client, pytest.raises(HarmonizeError) as raised:
            client.health()
        assert raised.value.code == "server_silent"
    with client, pytest.raises(HarmonizeError) as raised:
        client.health()
    assert raised.value.code == "server_gone"


@pytest.mark.parametrize("nonsense", [b"<html>", b"[]", json.dumps({"harmonization": {"format": "x"}}).encode(), b"{}"])
def test_an_answer_that_is_none_is_told_as_such(nonsense: bytes):
    play = telling({"/v1/harmonize": [(nonsense,)]}, [])
    with scripted(play) as port, client_of(port) as client, pytest.raises(HarmonizeError) as raised:
        client.harmonize(composite())
    assert raised.value.code == "bad_answer"
