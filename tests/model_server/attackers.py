"""Requests that are good but for one thing, and whether the server has taken harm from them."""

import base64
import functools
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from harmonize_engine import Harmonization, engine
from harmonize_engine.composite import proxy
from tests.model_server.conftest import Running
from tests.model_server.proxies import question, scene
from tests.model_server.sockets import chunked, eventually, request
from tests.model_server.test_render import form, warmer

Attack = Callable[[Running], bytes]
megabyte = 1 << 20
image, mask = scene()
good = question(image, mask)
loot = Path("looted-by-a-pickle")


class Thief:
    """Leaves a file behind where its pickle is loaded."""

    def __reduce__(self) -> Any:
        return os.mkdir, (str(loot),)


pickled = pickle.dumps(Thief())


def said(
    method: str = "POST", path: str = "/v1/harmonize", body: bytes = json.dumps(good).encode(), **others: str | None
) -> Attack:
    """A request that would be good but for what is said otherwise; {} in a header is the port, {token} the token."""

    def raw(server: Running) -> bytes:
        headers = {"Authorization": "Bearer {token}", "Content_Type": "application/json"} | others
        filled = {
            name: value and value.replace("{}", str(server.port)).replace("{token}", server.token)
            for name, value in headers.items()
        }
        version = filled.pop("version", None) or "1.1"
        return request(server.port, method, path.replace("{token}", server.token), body, version, **filled)

    return raw


def asked(**fields: Any) -> Attack:
    """A good question but for some fields."""
    return said(body=json.dumps(good | fields).encode())


def rendered(**parts: Any) -> Attack:
    body, media_type = form(**{"harmonization": warmer.to_json()} | parts)
    return said(path="/v1/render", body=body, Content_Type=media_type)


def sent(raw: bytes) -> Attack:
    return lambda server: raw


def padded(start: bytes | str, field: str = "composite") -> str:
    """Text as long as a plane's base64, so that only what it holds can be wrong with it."""
    text = start if isinstance(start, str) else base64.b64encode(start).decode().rstrip("=")
    return (text + "A" * len(good[field]))[: len(good[field])]


def in_parts(*parts: bytes, **headers: Any) -> Attack:
    return lambda server: said(body=b"", Transfer_Encoding="chunked", **headers)(server) + chunked(*parts)


@functools.cache
def truth() -> Harmonization:
    return engine.harmonize(proxy(image, mask))


def unharmed(server: Running) -> bool:
    """Whether a good client gets the right answer, and neither a connection nor a request is left of the attack."""
    told = server.harmonize(good)
    assert told.status == 200
    found = Harmonization.from_json(json.dumps(told.json["harmonization"]))
    assert found.to_json() == truth().to_json()
    assert not loot.exists()
    return eventually(lambda: not open_connections(server) and not server.service.line.length)


def open_connections(server: Running) -> int:
    ends = psutil.Process().net_connections("tcp")
    return sum(bool(end.laddr) and end.laddr.port == server.port and end.status != psutil.CONN_LISTEN for end in ends)
