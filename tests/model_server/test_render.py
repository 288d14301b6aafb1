"""Rendering at full size through the server: the very picture that the command line would write."""

import io
import struct
import tempfile
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ImageCms

from harmonize_engine import Curves, Harmonization, Saturation, Shading, pictures
from harmonize_engine.cli.main import main
from harmonize_engine.pictures import Picture
from model_server.render import Order
from tests.model_server.conftest import Answer, Running, Serve
from tests.model_server.proxies import scene
from tests.model_server.sockets import call, eventually, request

warmer = Harmonization(
    (
        Curves.uniform(np.stack([np.linspace(0, 1, 5) ** power for power in (0.8, 1.0, 1.3)])),
        Saturation(0.3),
        Curves.uniform(np.linspace(0.1, 0.9, 3) * np.ones((3, 1))),
        Shading(np.array([[0.5, 1.5], [1.0, 2.0]])),
    ),
    "some",
    "1",
)
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def form(**parts: Any) -> tuple[bytes, str]:
    """A form and its media type; bytes and pairs of (name of the file, bytes) become files."""
    lines: list[bytes] = []
    for name, part in parts.items():
        filename, content = part if isinstance(part, tuple) else ("some.file", part)
        disposition = f'Content-Disposition: form-data; name="{name}"'
        if isinstance(content, bytes):
            lines += [b"--limit", f'{disposition}; filename="{filename}"'.encode(), b"", content]
        else:
            lines += [b"--limit", disposition.encode(), b"", str(content).encode()]
    return b"\r\n".join([*lines, b"--limit--", b""]), "multipart/form-data; boundary=limit"


def render(server: Running, **parts: Any) -> Answer:
    body, media_type = form(**{"harmonization": warmer.to_json()} | parts)
    return server.ask("POST", "/v1/render", body, Content_Type=media_type)


def encoded(pixels: Any, kind: str = "png", **others: Any) -> bytes:
    file = io.BytesIO()
    pictures.write_file(Picture(pixels, **others), file, kind)
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """The head of a PNG of that size and a few bytes of its pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["png", "tif", "jpg", "webp"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16, np.float32])
def test_the_picture_is_that_of_the_command_line(kind: str, depth: Any, server: Running, tmp_path: Path):
    image, mask = scene(width=150, height=90)
    peak = 1 if depth == np.float32 else np.iinfo(depth).max
    pixels = (image.astype(np.float64) / 255 * peak).astype(depth)
    if depth == np.float32:
        pixels = 1.4 * pixels - np.float32(0.2)  # editors keep values beyond black and white
    given = "tif" if depth == np.float32 else "png"
    picture, alpha = encoded(pixels, given, icc=profile, dpi=(72.0, 72.0)), encoded(np.dstack([mask] * 3))
    for name, content in ((f"picture.{given}", picture), ("mask.png", alpha), ("warmer.json", warmer.to_json().encode())):
        (tmp_path / name).write_bytes(content)
    out = tmp_path / f"out.{kind}"
    strengths = ["--color-strength", "0.5", "--light-strength", "0.75", "--quality", "80"]
    files = [str(tmp_path / name) for name in ("warmer.json", f"picture.{given}", "mask.png")]
    assert main(["render", files[0], files[1], "--mask", files[2], "-o", str(out), *strengths]) == 0
    told = render(server, picture=picture, mask=alpha, kind=kind, color_strength=0.5, light_strength=0.75, quality=80)
    assert told.status == 200
    assert int(told.headers["content-length"]) == len(told.body)
    assert told.headers["content-type"] == {"tif": "image/tiff", "jpg": "image/jpeg"}.get(kind, f"image/{kind}")
    ours, theirs = pictures.read_file(io.BytesIO(told.body), "ours"), pictures.read(out)
    assert ours.pixels.dtype == theirs.pixels.dtype
    np.testing.assert_array_equal(ours.pixels, theirs.pixels)
    assert (ours.icc, ours.exif, ours.dpi) == (theirs.icc, theirs.exif, theirs.dpi)
    assert ours.icc == profile


def test_without_a_mask_all_of_it_is_foreground(server: Running):
    image, _ = scene()
    all_of_it = encoded(np.full_like(image, 255))
    assert render(server, picture=encoded(image)).body == render(server, picture=encoded(image), mask=all_of_it).body


def test_a_harmonization_may_be_sent_as_a_file(server: Running):
    picture = encoded(scene()[0])
    as_file = render(server, picture=picture, harmonization=("warmer.json", warmer.to_json().encode()))
    assert as_file.status == 200
    assert as_file.body == render(server, picture=picture).body


def deep(depth: int) -> str:
    return '{"format": "harmonize/1", "model": ' + "[" * depth + "]" * depth + "}"


image, soft = scene()
png = encoded(image)
glass = encoded(np.dstack([image, soft]))
curves = '{"format": "harmonize/1", "model": "", "version": "", "adjustments": [{"kind": "curves", "x": [0, 1], "y": %s}]}'
refused: dict[str, tuple[str, dict[str, Any]]] = {
    "no picture": ("bad_field", {}),
    "a picture that is no file": ("bad_field", {"picture": "picture.png"}),
    "a path in place of a picture": ("format_unknown", {"picture": b"/etc/passwd"}),
    "no pixels": ("picture_empty", {"picture": b""}),
    "half a picture": ("file_broken", {"picture": png[: len(png) // 2]}),
    "a bomb": ("picture_too_large", {"picture": bomb(20_000, 20_000)}),
    "a mask that is a bomb": ("picture_too_large", {"picture": png, "mask": bomb(20_000, 20_000)}),
    "another mask's size": ("mask_size", {"picture": png, "mask": encoded(image[1:])}),
    "glass as JPEG": ("alpha_not_possible", {"picture": glass, "kind": "jpg"}),
    "a kind nobody writes": ("bad_field", {"picture": png, "kind": "bmp"}),
    "too much strength": ("bad_field", {"picture": png, "color_strength": 2}),
    "a strength that is no number": ("bad_field", {"picture": png, "color_strength": "nan"}),
    "no quality": ("bad_field", {"picture": png, "quality": 0}),
    "a field nobody knows": ("bad_field", {"picture": png, "path": "/tmp/out.png"}),
    "a file nobody knows": ("bad_field", {"picture": png, "cutout": png}),
    "no JSON": ("bad_parameters", {"picture": png, "harmonization": "{"}),
    "JSON without adjustments": ("bad_parameters", {"picture": png, "harmonization": "{}"}),
    "JSON without an end": ("bad_parameters", {"picture": png, "harmonization": deep(200_000)}),
    "numbers without an end": ("bad_parameters", {"picture": png, "harmonization": curves % ("[[0, 1" + "0" * 400 + "]]")}),
    "curves of one channel": ("bad_curves", {"picture": png, "harmonization": curves % "[[0, 1]]"}),
    "a harmonization of 3 MB": ("bad_form", {"picture": png, "harmonization": " " * (3 << 20)}),
    "a file of 3 MB": ("bad_field", {"picture": png, "harmonization": b" " * (3 << 20)}),
    "no text": ("bad_field", {"picture": png, "harmonization": b"\xff"}),
    "many fields": ("bad_form", {"picture": png} | {f"field {number}": 1 for number in range(50)}),
    "many files": ("bad_form", {f"file {number}": png for number in range(5)}),
}


@pytest.mark.parametrize(("code", "parts"), refused.values(), ids=refused)
def test_what_cannot_be_rendered_is_refused(code: str, parts: dict[str, Any], server: Running):
    told = render(server, **parts)
    assert (told.status, told.json["code"]) == (400 if code == "bad_form" else 422, code)
    assert told.json["message"].endswith(".") and told.json["hint"]


def test_what_to_do_about_a_large_picture_is_told(server: Running):
    assert render(server, picture=bomb(20_000, 20_000)).json["hint"] == "Render it with: harmonize render"
    wide = encoded(np.zeros((1, 17_000, 3), np.uint8))
    assert render(server, picture=wide, kind="webp").json["hint"] == "Write png or tif instead."


def test_a_field_that_comes_twice_is_refused(server: Running):
    body, media_type = form(picture=png, harmonization=warmer.to_json())
    told = server.ask("POST", "/v1/render", body.replace(b"--limit--", body), Content_Type=media_type)
    assert (told.status, told.json["code"]) == (422, "bad_field")


no_forms = {
    "nothing": (b"", "limit"),
    "a beginning": (b"--limit\r\n", "limit"),
    "something else": (b"{}", "limit"),
    "a form without its end": (form(picture=png, harmonization=warmer.to_json())[0][:-11], "limit"),
    "no boundary": (form(picture=png)[0], ""),
    "another boundary": (form(picture=png)[0], "other"),
    "a part without a name": (form(picture=png)[0].replace(b"; name=", b"; game="), "limit"),
}


@pytest.mark.parametrize(("body", "boundary"), no_forms.values(), ids=no_forms)
def test_what_is_no_whole_form_is_refused(body: bytes, boundary: str, server: Running):
    media_type = f"multipart/form-data; boundary={boundary}" if boundary else "multipart/form-data"
    told = server.ask("POST", "/v1/render", body, Content_Type=media_type)
    assert (told.status, told.json["code"]) == (400, "bad_form")
    assert told.json["message"].endswith(".")


def test_a_charset_that_is_none_does_no_harm(server: Running):
    body, media_type = form(picture=png, harmonization=warmer.to_json())
    assert server.ask("POST", "/v1/render", body, Content_Type=f"{media_type}; charset=zlib").status == 200


def test_other_media_than_a_form_are_refused(server: Running):
    told = server.ask("POST", "/v1/render", {"picture": "picture.png"})
    assert (told.status, told.json["code"]) == (415, "media_type")


class Held:
    """Has renderings wait until they are let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go = threading.Semaphore(0), threading.Event()
        self.count = 0
        really = Order.rendered

        def rendered(order: Order, limit: float) -> Any:
            self.count += 1
            self.begun.release()
            assert self.go.wait(20)
            return really(order, limit)

        monkeypatch.setattr(Order, "rendered", rendered)


def test_one_is_rendered_one_waits_and_a_third_is_told_to_come_again(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    server, held = serve(), Held(monkeypatch)
    with ThreadPoolExecutor(2) as clients:
        asked = [clients.submit(render, server, picture=png) for _ in range(2)]
        assert held.begun.acquire(timeout=20)
        assert eventually(lambda: render(server, picture=png).status == 429)
        busy = render(server, picture=png)
        assert busy.json["code"] == "busy" and int(busy.headers["retry-after"]) >= 1
        assert held.count == 1
        held.go.set()
        assert [told.result().status for told in asked] == [200, 200]
    assert render(server, picture=png).status == 200


def test_a_rendering_that_takes_too_long_keeps_its_place_until_it_has_ended(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    server, held = serve(render_seconds=0.2, renders=1), Held(monkeypatch)
    assert render(server, picture=png).json["code"] == "time_limit"
    assert render(server, picture=png).json["code"] == "busy"
    held.go.set()
    assert eventually(lambda: render(server, picture=png).status == 200)


def test_who_leaves_before_its_turn_is_not_rendered(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    server, held = serve(), Held(monkeypatch)
    body, media_type = form(picture=png, harmonization=warmer.to_json())
    head = request(server.port, "POST", "/v1/render", body, Authorization=f"Bearer {server.token}", Content_Type=media_type)
    with ThreadPoolExecutor(1) as clients:
        first = clients.submit(render, server, picture=png)
        assert held.begun.acquire(timeout=20)
        with call(server.port, head):
            assert eventually(lambda: render(server, picture=png).status == 429)
        assert eventually(lambda: " 499 " in server.log)
        held.go.set()
        assert first.result().status == 200
    assert held.count == 1
    assert render(server, picture=png).status == 200


def test_nothing_is_left_in_the_folder_of_temporary_files(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    server = serve()
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1000, 3), np.uint8)  # 4.5 MB, too much for memory alone
    told = render(server, picture=encoded(noise))
    assert told.status == 200 and len(told.body) > 4 << 20
    assert render(server, picture=encoded(noise), kind="bmp").status == 422
    assert not list((tmp_path / "temporary").iterdir())
