"""The OpenAPI document: made of the same definitions that requests and answers are read and written with."""

from functools import cache
from typing import Any

import msgspec

import harmonize_engine
from harmonize_engine import harmonization
from model_server import wire
from model_server.render import media_types

place = "#/components/schemas/{name}"
answers = (wire.HarmonizeAnswer, wire.Health, wire.Models, wire.Following, wire.Stopping, wire.Refusal)
requests = (wire.HarmonizeRequest, wire.FollowRequest)
reasons = {
    400: "The body cannot be read: bad_json, bad_form, bad_http.",
    401: "The token is missing or wrong: token_wrong.",
    403: "Called by a name that is not the server's, or by a web page: host_refused, origin_refused.",
    404: "There is no such path: not_found.",
    405: "The path is for another method: method_refused.",
    408: "The body did not come whole in time: body_slow.",
    413: "The body is larger than is taken: body_too_large.",
    415: "The body is of another kind: media_type.",
    422: "The body was read, but what it says cannot be used; the code says why.",
    429: "Too many requests are waiting: busy.",
    500: "The server failed, and its log says how: internal.",
    503: "No answer is possible now: stopping, time_limit, weights_missing, weights_changed, runtime_missing.",
}
always = (401, 403, 404, 405, 413, 415, 500)


@cache
def document() -> dict[str, Any]:
    """Describe every path, OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Harmonize",
            "version": harmonize_engine.__version__,
            "description": "Makes a pasted foreground belong to its photograph. For programs on the same machine.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def _paths() -> dict[str, Any]:
    busy = {400: None, 408: None, 422: None, 429: None, 503: None}
    return {
        "/v1/health": {"get": _operation("health", "How the server is.", wire.Health)},
        "/v1/models": {"get": _operation("models", "The models that can be asked for.", wire.Models, (503,))},
        "/v1/openapi.json": {"get": _operation("openapi", "This document.", None)},
        "/v1/harmonize": {
            "post": _operation("harmonize", "What makes a foreground belong.", wire.HarmonizeAnswer, tuple(busy))
            | _body("application/json", _reference(wire.HarmonizeRequest))
        },
        "/v1/render": {
            "post": _with_pictures(_operation("render", "A picture, rendered at full size.", None, tuple(busy)))
            | _body("multipart/form-data", _form())
        },
        "/v1/follow": {
            "post": _operation("follow", "Have the server leave with a process.", wire.Following, (400, 408, 422))
            | _body("application/json", _reference(wire.FollowRequest))
        },
        "/v1/stop": {"post": _operation("stop", "Have the server finish and leave.", wire.Stopping)},
    }


def _operation(name: str, summary: str, answer: type | None, errors: tuple[int, ...] = ()) -> dict[str, Any]:
    schema = {"type": "object"} if answer is None else _reference(answer)
    responses: dict[str, Any] = {"200": {"description": summary, "content": {"application/json": {"schema": schema}}}}
    for status in sorted({*always, *errors}):
        responses[str(status)] = {
            "description": reasons[status],
            "content": {"application/json": {"schema": _reference(wire.Refusal)}},
        }
    if "429" in responses:
        seconds = {"type": "integer", "minimum": 1, "description": "Until trying again."}
        responses["429"]["headers"] = {"Retry-After": {"required": True, "schema": seconds}}
    return {"operationId": name, "summary": summary, "responses": responses}


def _body(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def _with_pictures(operation: dict[str, Any]) -> dict[str, Any]:
    operation["responses"]["200"]["content"] = {media_type: {} for media_type in media_types.values()}
    return operation


def _form() -> dict[str, Any]:
    """The fields of a form, its files among them."""
    _, components = msgspec.json.schema_components([wire.RenderFields], ref_template=place)
    form = components["RenderFields"]
    file = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
    pictures = {
        "picture": file | {"description": "PNG, JPEG, TIFF, WebP or BMP, display-encoded."},
        "mask": file | {"description": "White = foreground, of the picture's size; without one all is foreground."},
    }
    return form | {"properties": pictures | form["properties"], "required": ["picture", *form["required"]]}


def _reference(kind: type) -> dict[str, str]:
    return {"$ref": place.format(name=kind.__name__)}


def _schemas() -> dict[str, Any]:
    _, components = msgspec.json.schema_components([*answers, *requests], ref_template=place)
    return components | _harmonization()


def _harmonization() -> dict[str, Any]:
    """The engine's own schema of its result, its parts as components beside it."""
    schema = harmonization.schema()
    parts = schema.pop("$defs")
    schema.pop("$schema")
    names = {f"#/$defs/{name}": place.format(name=name.capitalize()) for name in parts}

    def renamed(node: Any) -> Any:
        match node:
            case {"$ref": str(target)}:
                return node | {"$ref": names[target]}
            case dict():
                return {key: renamed(value) for key, value in node.items()}
            case list():
                return [renamed(value) for value in node]
            case _:
                return node

    return {"Harmonization": renamed(schema)} | {name.capitalize(): renamed(part) for name, part in parts.items()}
