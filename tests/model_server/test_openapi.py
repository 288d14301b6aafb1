"""The description of the server, and the server held against it."""

import io
from typing import Any

import msgspec
import numpy as np
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from PIL import Image
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from harmonize_engine import Curves, Harmonization, Saturation, Shading, harmonization
from model_server import openapi
from tests.model_server.conftest import Running
from tests.model_server.proxies import question, scene

document = openapi.document()
described = schemathesis.openapi.from_dict(document)
operations = [(path, method) for path, item in document["paths"].items() for method in item]
sizes = {"composite_size", "mask_size", "background_size", "reference_size", "picture_too_large", "picture_too_small"}
beyond_schemas = sizes | {"bad_base64", "bad_parameters", "process_unknown"}
some = Harmonization((Curves.identity(), Saturation(0.5), Shading(np.full((2, 3), 0.5))), "some", "1")


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def test_every_schema_is_one_and_every_reference_leads_to_one():
    names = set(document["components"]["schemas"])
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    assert {reference.removeprefix("#/components/schemas/") for reference in references(document)} <= names


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        return {node["$ref"]} if "$ref" in node else set().union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_a_harmonization_is_described_by_the_engines_own_schema():
    own = Draft202012Validator(harmonization.schema())
    for text in (some.to_json(), some.to_json().replace('"amount": 0.5', '"amount": 5'), '{"format": "harmonize/2"}'):
        content = msgspec.json.decode(text)
        assert validator("Harmonization").is_valid(content) == own.is_valid(content)
    assert validator("Harmonization").is_valid(msgspec.json.decode(some.to_json()))


def test_a_request_that_the_description_refuses_is_refused(server: Running):
    good = question(*scene())
    assert validator("HarmonizeRequest").is_valid(good)
    for wrong in ({"width": 0}, {"light_strength": 1.1}, {"encoding": "linear"}, {"points_for": "gmip"}, {"path": "/etc"}):
        assert not validator("HarmonizeRequest").is_valid(good | wrong)
        assert server.harmonize(good | wrong).status == 422


def test_the_document_is_served_as_it_is(server: Running):
    assert server.ask("GET", "/v1/openapi.json").json == document


def whole(case: schemathesis.Case) -> schemathesis.Case:
    """Write integers as such: for JSON Schema 1.0 is one, for us it is not."""
    if isinstance(case.body, dict):
        names = {"width", "height", "pid", "quality"} & set(case.body)
        case.body = {**case.body, **{name: int(case.body[name]) for name in names}}
    return case


def fitted(case: schemathesis.Case) -> schemathesis.Case:
    """Give what a schema cannot ask for: planes of the picture's size, a real picture, a real Harmonization."""
    case = whole(case)
    body = case.body
    if case.path == "/v1/harmonize":
        width, height = 16 + body["width"] % 30, 16 + body["height"] % 30
        fitting = question(*scene(body["width"], width, height))
        if body.get("background"):
            fitting["background"] = fitting["composite"]
        case.body = {**body, "reference_mask": None, **fitting, "model": ["parametric", "statistics"][body["width"] % 2]}
    if case.path == "/v1/render":
        content = io.BytesIO()
        Image.fromarray(scene()[0]).save(content, "PNG")
        case.body = {**body, "picture": content.getvalue(), "harmonization": some.to_json()}
        case.body.pop("mask", None)
    return case


def check(case: schemathesis.Case, server: Running, *but: Any) -> requests.Response:
    """Send it, and hold the answer against every rule of the description and of HTTP."""
    answer = case.call(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=30)
    case.validate_response(answer, excluded_checks=list(but))
    return answer


def bounded(examples: int) -> settings:
    quiet = list(HealthCheck)  # schemathesis filters much, and the server lives longer than an example
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=quiet)


@pytest.mark.parametrize(("path", "method"), operations)
def test_answers_are_as_described_whatever_comes(path: str, method: str, server: Running):
    @bounded(40)
    @given(described[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def holds(case: schemathesis.Case):
        check(case, server)

    holds()


@pytest.mark.parametrize(("path", "method"), operations)
def test_what_fits_its_schema_is_refused_for_what_no_schema_can_say_only(path: str, method: str, server: Running):
    @bounded(20)
    @given(described[path][method].as_strategy().map(whole))
    def holds(case: schemathesis.Case):
        answer = check(case, server, positive_data_acceptance)
        assert answer.status_code == 200 or answer.json()["code"] in beyond_schemas

    holds()


@pytest.mark.parametrize("path", ["/v1/harmonize", "/v1/render"])
def test_what_fits_altogether_is_answered(path: str, server: Running):
    @bounded(20)
    @given(described[path]["post"].as_strategy().map(fitted))
    def holds(case: schemathesis.Case):
        assert check(case, server, negative_data_rejection).status_code == 200  # it takes bytes for no string

    holds()
