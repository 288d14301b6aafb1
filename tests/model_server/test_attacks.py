"""What attackers try and what each of them gets; after every attack a good client is served right, and nothing is left."""

import base64
import contextlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_server.attackers import (
    Attack,
    asked,
    good,
    image,
    in_parts,
    megabyte,
    padded,
    pickled,
    rendered,
    said,
    sent,
    unharmed,
)
from tests.model_server.conftest import Running
from tests.model_server.sockets import answer, call, closed
from tests.model_server.test_render import bomb, encoded

attacks: dict[str, tuple[str, Attack]] = {
    # from a page in the user's browser
    "a rebound name": ("403 host_refused", said(Host="evil.example:{}")),
    "a rebound name, without port": ("403 host_refused", said(Host="evil.example")),
    "another server's port": ("403 host_refused", said(Host="127.0.0.1:1")),
    "a name that only begins like ours": ("403 host_refused", said(Host="127.0.0.1.evil.example:{}")),
    "a user in the name": ("403 host_refused", said(Host="evil.example@127.0.0.1:{}")),
    "no name": ("403 host_refused", said(Host=None, version="1.0")),
    "two names": ("400 bad_http", said(Host="127.0.0.1:{}\r\nHost: evil.example")),
    "a forwarded name": ("403 host_refused", said(Host="evil.example:{}", X_Forwarded_Host="127.0.0.1:{}")),
    "a page": ("403 origin_refused", said(Origin="https://evil.example")),
    "a page in a sandbox": ("403 origin_refused", said(Origin="null")),
    "a page of our own": ("403 origin_refused", said(Origin="http://127.0.0.1:{}")),
    "a page that asks first": ("403 origin_refused", said("OPTIONS", Origin="https://evil.example", Authorization=None)),
    "a form on a page": ("401 token_wrong", said(Authorization=None, Content_Type="text/plain")),
    "an image on a page": ("401 token_wrong", said("GET", "/v1/health", b"", Authorization=None)),
    "a WebSocket of a page": (
        "403 origin_refused",
        said("GET", "/", b"", Origin="https://evil.example", Connection="Upgrade", Upgrade="websocket"),
    ),
    "a WebSocket": ("400 bad_http", said("GET", "/", b"", Connection="Upgrade", Upgrade="websocket")),
    "HTTP/2 by upgrade": ("400 bad_http", said("GET", "/", b"", Connection="Upgrade", Upgrade="h2c")),
    # from a program without the token
    "no token": ("401 token_wrong", said(Authorization=None)),
    "a wrong token": ("401 token_wrong", said(Authorization="Bearer wrong")),
    "an empty token": ("401 token_wrong", said(Authorization="Bearer ")),
    "a short token": ("401 token_wrong", lambda server: said(Authorization=f"Bearer {server.token[:-1]}")(server)),
    "a longer token": ("401 token_wrong", said(Authorization="Bearer {token}x")),
    "a token of 8 KB": ("401 token_wrong", said(Authorization="Bearer " + "x" * 8192)),
    "a token beyond ASCII": ("401 token_wrong", said(Authorization="Bearer \u00e9\u00ff")),
    "two tokens": ("401 token_wrong", said(Authorization="Bearer wrong\r\nAuthorization: Bearer {token}")),
    "another scheme": ("401 token_wrong", said(Authorization="Basic {token}")),
    "a token in the address": ("401 token_wrong", said(path="/v1/harmonize?token={token}", Authorization=None)),
    "a token in a cookie": ("401 token_wrong", said(Cookie="token={token}", Authorization=None)),
    "stopping it": ("401 token_wrong", said(path="/v1/stop", body=b"", Authorization=None)),
    "a large body without a token": ("401 token_wrong", said(body=bytes(20 * megabyte), Authorization=None)),
    "parts without a token": ("401 token_wrong", in_parts(*[bytes(1000)] * 1000, Authorization=None)),
    # bodies
    "17 MB announced": ("413 body_too_large", said(body=b"", Content_Length=str(17 * megabyte))),
    "17 MB": ("413 body_too_large", said(body=b" " * (17 * megabyte))),
    "17 MB in parts": ("413 body_too_large", in_parts(*[b" " * megabyte] * 17)),
    "a petabyte announced": ("413 body_too_large", said(body=b"", Content_Length="1" + "0" * 15)),
    "513 MB of a picture announced": (
        "413 body_too_large",
        said(path="/v1/render", body=b"", Content_Length=str(513 * megabyte)),
    ),
    "a large body where none belongs": ("413 body_too_large", said("GET", "/v1/health", bytes(megabyte))),
    "a gzip bomb": ("415 media_type", said(body=b"\x1f\x8b" + bytes(1000), Content_Encoding="gzip")),
    "two lengths": ("400 bad_http", said(Content_Length="5\r\nContent-Length: 6")),
    "a length and parts": ("400 bad_http", said(Content_Length="5", Transfer_Encoding="chunked")),
    "a length that is negative": ("400 bad_http", said(Content_Length="-1")),
    "parts of another kind": ("400 bad_http", said(body=b"", Transfer_Encoding="xchunked")),
    "parts that break off into garbage": ("400 bad_http", lambda server: in_parts(b"{")(server)[:-5] + b"no number\r\n"),
    # JSON
    "JSON that is deep": ("400 bad_json", said(body=b"[" * megabyte)),
    "JSON that is deep in a field": ("400 bad_json", said(body=b'{"width":' + b'{"a":' * 100_000)),
    "a number of a megabyte": ("422 bad_field", said(body=b'{"width":' + b"9" * megabyte + b"}")),
    "infinite strength": ("400 bad_json", said(body=b'{"color_strength": Infinity}')),
    "a pickle as the body": ("400 bad_json", said(body=pickled)),
    "a pickle as another medium": ("415 media_type", said(body=pickled, Content_Type="application/x-python-pickle")),
    "a size of four billion pixels": ("422 picture_too_large", asked(width=65536, height=65536)),
    "a size that overflows": ("422 bad_field", asked(width=2**62, height=2**62)),
    "no size": ("422 bad_field", asked(width=0, height=0)),
    "more pixels than there are bytes": ("422 composite_size", asked(width=1024, height=1024)),
    # what might be opened or loaded
    "a path as the picture": ("422 composite_size", asked(composite="/etc/passwd")),
    "an address as the picture": ("422 composite_size", asked(composite="http://169.254.169.254/latest/meta-data")),
    "a path up, long enough": ("422 bad_base64", asked(composite=padded("../../secret.png"))),
    "an address of a file, long enough": ("422 bad_base64", asked(composite=padded("file:///etc/passwd"))),
    "a share as the mask, long enough": ("422 bad_base64", asked(mask=padded("\\\\evil\\share\\mask.png", "mask"))),
    "a data address, long enough": ("422 bad_base64", asked(composite=padded("data:image/png;base64,AAAA"))),
    "a path as an object": ("422 bad_field", asked(composite={"path": "/etc/passwd"})),
    "a path in a field of its own": ("422 bad_field", asked(path="/etc/passwd")),
    "a model up the folders": ("422 model_unknown", asked(model="../../models/parametric")),
    "a model by its path": ("422 model_unknown", asked(model="/etc/passwd")),
    "a model with an end of text": ("422 model_unknown", asked(model="parametric\x00.onnx")),
    "a model on a share": ("422 model_unknown", asked(model="\\\\evil\\share\\model")),
    "a model by its address": ("422 model_unknown", asked(model="https://evil.example/model.onnx")),
    "a process that cannot be": ("422 bad_field", said(path="/v1/follow", body=b'{"pid": -1}')),
    # pictures
    "a PNG of 60000 x 60000": ("422 picture_too_large", rendered(picture=bomb(60_000, 60_000))),
    "a mask of 60000 x 60000": ("422 picture_too_large", rendered(picture=encoded(image), mask=bomb(60_000, 60_000))),
    "a PNG of 2 billion x 2 billion": ("422 picture_too_large", rendered(picture=bomb(2**31 - 1, 2**31 - 1))),
    "a path as the file": ("422 format_unknown", rendered(picture=b"/etc/passwd")),
    "a path as the file's name": ("422 format_unknown", rendered(picture=("../../../etc/passwd", b"no picture"))),
    "an SVG that includes": ("422 format_unknown", rendered(picture=b'<svg><image href="file:///etc/passwd"/></svg>')),
    "PostScript": ("422 format_unknown", rendered(picture=b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n")),
    "a pickle as the file": ("422 format_unknown", rendered(picture=pickled)),
    "an array with a pickle in it": ("422 format_unknown", rendered(picture=b"\x93NUMPY\x01\x00" + pickled)),
    "a pickle as the harmonization": ("422 bad_field", rendered(picture=encoded(image), harmonization=pickled)),
    # paths and methods
    "a path up the folders": ("404 not_found", said("GET", "/v1/../../etc/passwd", b"")),
    "the same, percent-encoded": ("404 not_found", said("GET", "/v1/%2e%2e%2f%2e%2e%2fetc/passwd", b"")),
    "a path with two slashes": ("404 not_found", said("GET", "//v1/health", b"")),
    "a path with a slash behind it": ("404 not_found", said("GET", "/v1/health/", b"")),
    "a path with an end of text": ("404 not_found", said("GET", "/v1/health%00", b"")),
    "a path in capitals": ("404 not_found", said("GET", "/V1/HEALTH", b"")),
    "an address as the path": ("400 bad_http", said("GET", "http://169.254.169.254/", b"")),
    "a tunnel": ("400 bad_http", said("CONNECT", "169.254.169.254:80", b"")),
    "a star": ("400 bad_http", said("OPTIONS", "*", b"")),
    "TRACE": ("405 method_refused", said("TRACE", "/v1/health", b"")),
    "OPTIONS": ("405 method_refused", said("OPTIONS", "/v1/harmonize", b"")),
    "DELETE": ("405 method_refused", said("DELETE", "/v1/health", b"")),
    "stopping it by a link": ("405 method_refused", said("GET", "/v1/stop", b"")),
    "a made-up method": ("405 method_refused", said("HARMONIZE", "/v1/harmonize", b"")),
    "another method by a header": ("405 method_refused", said("GET", "/v1/stop", b"", X_HTTP_Method_Override="POST")),
    # no HTTP
    "TLS": ("400 bad_http", sent(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))),
    "garbage": ("400 bad_http", sent(b"\x80" + random.Random(0).randbytes(5000) + b"\r\n\r\n")),
    "HTTP/2": ("403 host_refused", sent(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
    "HTTP/0.9": ("400 bad_http", sent(b"GET /\r\n\r\n")),
    "a giant path": ("400 bad_http", sent(b"GET /" + b"a" * 20_000)),
    "a giant header": ("400 bad_http", sent(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000)),
    "headers without an end": ("400 bad_http", sent(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1234567890\r\n" * 1200)),
    "a header that is split": ("400 bad_http", said(X="1\r\nX : 2")),
}


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)  # where a pickle would leave its file
    yield


@pytest.mark.parametrize("name", attacks)
def test_an_attack_gets(name: str, server: Running) -> None:
    gets, raw = attacks[name]
    attack = raw(server)
    with call(server.port, attack) as attacker:
        told = answer(attacker, attack.partition(b" ")[0].decode("latin-1"))
        assert told is not None and f"{told.status} {told.code}" == gets
        assert not [header for header in told.headers if header.lower().startswith("access-control")]
        for secret in (b"Traceback", server.token.encode(), b"root:"):
            assert secret not in told.body
        if told.status in (400, 401, 403) and told.code != "bad_json":
            assert closed(attacker)
            assert b'"log"' not in told.body or told.status == 400
    assert unharmed(server)


def test_a_pickle_in_place_of_pixels_is_taken_for_pixels(server: Running) -> None:
    composite = base64.b64encode((pickled + bytes(image.size))[: image.size]).decode()
    assert server.harmonize(good | {"composite": composite}).status == 200
    assert unharmed(server)


def test_a_request_hidden_in_another_is_never_answered(server: Running) -> None:
    hidden = said("POST", "/v1/stop", b"")(server)
    for around in (
        said(body=hidden, Authorization=None)(server),
        said(body=hidden, Content_Length="4", Transfer_Encoding="chunked")(server),
        said(body=b"", Content_Length="0", Transfer_Encoding="chunked")(server) + b"0\r\n\r\n" + hidden,
    ):
        with call(server.port, around + hidden) as attacker:
            told = b""
            with contextlib.suppress(ConnectionError):
                while part := attacker.recv(1 << 16):
                    told += part
        assert told.count(b"HTTP/1.1 4") == 1 and b"stopping" not in told
    assert unharmed(server)


def test_a_row_of_requests_ends_at_the_first_that_is_refused(server: Running) -> None:
    one, stranger = said("GET", "/v1/models", b"")(server), said("GET", "/v1/models", b"", Authorization=None)(server)
    with call(server.port, one * 3 + stranger + one * 3) as attacker:
        told = b""
        while part := attacker.recv(1 << 16):
            told += part
    assert (told.count(b"HTTP/1.1 200"), told.count(b"HTTP/1.1 401"), told.count(b"HTTP/1.1 ")) == (3, 1, 4)
    assert unharmed(server)
