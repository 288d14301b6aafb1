"""The server as a program meets it: real sockets, real weights."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from harmonize_engine import Harmonization, engine
from harmonize_engine.composite import proxy
from harmonize_engine.splines import gimp_curve
from tests.model_server.conftest import Answer, Running, Serve
from tests.model_server.proxies import question, scene


@pytest.fixture
def client() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def harmonization(answer: Answer) -> Harmonization:
    assert answer.status == 200, answer.body
    return Harmonization.from_json(json.dumps(answer.json["harmonization"]))


def assert_same(ours: Harmonization, theirs: Harmonization):
    assert [type(one) for one in ours.adjustments] == [type(one) for one in theirs.adjustments]
    for mine, other in zip(ours.adjustments, theirs.adjustments, strict=True):
        for name, values in vars(mine).items():  # gains lie on a grid of 6e-5, and are rounded at both looks
            np.testing.assert_allclose(values, vars(other)[name], atol=1.3e-4 if name == "gain" else 1e-5)
    assert (ours.model, ours.version, ours.weights_sha256) == (theirs.model, theirs.version, theirs.weights_sha256)
    assert ours.leave == theirs.leave


def test_the_answer_is_that_of_the_engine(server: Running):
    for seed, size in enumerate([(96, 64), (64, 96), (512, 384), (17, 200)]):
        image, mask = scene(seed, *size)
        told = server.harmonize(question(image, mask))
        assert_same(harmonization(told), engine.harmonize(proxy(image, mask)))
        assert told.json["points"] is None
        assert told.json["engine"]["device"] == "cpu"
        timing = told.json["timing"]
        assert timing["batch"] == 1
        assert 0 <= timing["waited_ms"] <= timing["total_ms"]
        assert 0 < timing["looked_ms"] < timing["total_ms"]


def test_each_of_many_clients_gets_its_own_answer_from_the_model_it_asked(server: Running, client: ThreadPoolExecutor):
    scenes = [scene(seed, 64 + 16 * (seed % 3), 64) for seed in range(16)]
    names = ["parametric", "statistics"] * 8
    ask = [question(*one, model=name) for one, name in zip(scenes, names, strict=True)]
    for told, one, name in zip(client.map(server.harmonize, ask), scenes, names, strict=True):
        assert_same(harmonization(told), engine.harmonize(proxy(*one), name))


def test_the_background_and_what_to_match_of_it_count(server: Running):
    (image, mask), (background, _) = scene(1), scene(2)
    reference = np.where(np.arange(mask.shape[1]) < 40, 255, 0).astype(np.uint8) * np.ones_like(mask)
    told = harmonization(server.harmonize(question(image, mask, background=background, reference_mask=reference)))
    assert_same(told, engine.harmonize(proxy(image, mask, background, reference)))
    alone = engine.harmonize(proxy(image, mask))
    assert told.confidence is not None
    assert alone.confidence is not None
    assert abs(told.confidence.before - alone.confidence.before) > 0.01  # a cautious network may leave both as they are


@pytest.mark.parametrize("strengths", [(0.5, 0.25), (0, 1), (1, 0), (0, 0)])
def test_strengths_weaken_as_in_the_engine(server: Running, strengths: tuple[float, float]):
    image, mask = scene()
    told = server.harmonize(question(image, mask, color_strength=strengths[0], light_strength=strengths[1]))
    assert_same(harmonization(told), engine.harmonize(proxy(image, mask)).blend(*strengths))


def test_points_are_those_of_the_curves_as_they_were_weakened(server: Running):
    told = server.harmonize(question(*scene(), points_for="gimp", color_strength=0.5))
    curves = harmonization(told).adjustments[0]
    at = np.linspace(0, 1, 256)
    channels, light = told.json["points"]
    assert light is None
    for points, table in zip(channels, curves.table(256), strict=True):
        assert np.abs(gimp_curve(points["x"], points["y"], at) - table).max() < 1.01 / 255


def test_health_says_how_it_is(server: Running):
    told = server.ask("GET", "/v1/health").json
    assert (told["status"], told["protocol"], told["waiting"], told["follows"]) == ("ok", "v1", 0, [])
    assert told["device"]["name"] == "cpu"
    assert "parametric" in told["models_loaded"]
    assert told["memory"]["rss"] > 1 << 20
    assert told["log"] == server.service.log_path
    assert told["log_problem"] is None


def test_models_are_listed_the_default_first(server: Running):
    told = server.ask("GET", "/v1/models").json["models"]
    assert [(model["name"], model["default"]) for model in told] == [("parametric", True), ("statistics", False)]
    assert told[0]["weights_sha256"] == engine.models()[0].weights_sha256


def test_a_program_can_be_followed_and_the_server_stopped(serve: Serve):
    server = serve()
    assert server.ask("POST", "/v1/follow", {"pid": 1}).json == {"follows": [1]}
    assert server.ask("POST", "/v1/follow", {"pid": 2**31 - 1}).json["code"] == "process_unknown"
    assert server.ask("GET", "/v1/health").json["follows"] == [1]
    assert server.ask("POST", "/v1/stop").json == {"status": "stopping"}


def test_work_is_use_and_looking_whether_it_is_there_is_none(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    server, uses = serve(), list[str]()
    monkeypatch.setattr(server.service.life, "touch", lambda: uses.append("used"))
    server.ask("GET", "/v1/health")
    server.ask("GET", "/v1/openapi.json")
    assert not uses
    for path, content in (("/v1/harmonize", question(*scene())), ("/v1/render", None), ("/v1/follow", {"pid": 1})):
        server.ask("POST", path, content)
        assert uses
        uses.clear()


def test_a_server_that_stops_takes_nothing_new(serve: Serve):
    server = serve()
    server.service.life.stopping = True
    assert server.ask("GET", "/v1/health").json["status"] == "stopping"
    for path in ("/v1/harmonize", "/v1/render"):
        told = server.ask("POST", path, question(*scene()))
        assert (told.status, told.json["code"]) == (503, "stopping")


refusals: dict[str, tuple[int, Callable[[Running], Answer]]] = {
    "bad_json": (400, lambda server: server.harmonize(b"{")),
    "bad_field": (422, lambda server: server.harmonize(question(*scene(), color_strength=2))),
    "bad_base64": (422, lambda server: server.harmonize(question(*scene()) | {"mask": "!" * 8192})),
    "mask_empty": (422, lambda server: server.harmonize(question(scene()[0], 0 * scene()[1]))),
    "model_unknown": (422, lambda server: server.harmonize(question(*scene(), model="../parametric"))),
    "picture_too_large": (422, lambda server: server.harmonize(question(*scene()) | {"width": 65536, "height": 65536})),
    "token_wrong": (401, lambda server: server.ask("GET", "/v1/health", Authorization="Bearer x")),
    "host_refused": (403, lambda server: server.ask("GET", "/v1/health", Host=f"rebound.example:{server.port}")),
    "origin_refused": (403, lambda server: server.ask("GET", "/v1/health", Origin=server.url)),
    "not_found": (404, lambda server: server.ask("GET", "/v1/health/")),
    "method_refused": (405, lambda server: server.ask("GET", "/v1/harmonize")),
    "body_too_large": (413, lambda server: server.harmonize(b" " * (17 << 20))),
    "media_type": (415, lambda server: server.ask("POST", "/v1/harmonize", b"{}", Content_Type="text/plain")),
}


@pytest.mark.parametrize("code", refusals)
def test_every_refusal_has_its_status_and_a_sentence(code: str, server: Running):
    status, ask = refusals[code]
    told = ask(server)
    assert (told.status, told.json["code"]) == (status, code)
    assert told.headers["content-type"] == "application/json"
    assert told.json["message"].endswith(".")
    assert told.json["hint"]
    knows_the_token = status not in (401, 403)
    assert told.json.get("log") == (server.service.log_path if knows_the_token else None)


def test_a_method_that_is_refused_is_told_the_right_one(server: Running):
    assert server.ask("PUT", "/v1/stop").headers["allow"] == "POST"
