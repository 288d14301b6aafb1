"""Reading requests and telling errors: what is no JSON, what is JSON but wrong, and which status says so."""

import json

import msgspec
import pytest

from harmonize_engine import HarmonizeError
from model_server import wire
from model_server.wire import FollowRequest, HarmonizeRequest, RenderFields

no_json = {
    "nothing": b"",
    "a word": b"hello",
    "cut off": b'{"pid": 1',
    "more behind it": b'{"pid": 1} {"pid": 1}',
    "a trailing comma": b'{"pid": 1,}',
    "single quotes": b"{'pid': 1}",
    "a byte order mark": b'\xef\xbb\xbf{"pid": 1}',
    "UTF-16": '{"pid": 1}'.encode("utf-16"),
    "not a number": b'{"pid": NaN}',
    "infinity": b'{"pid": -Infinity}',
    "octal": b'{"pid": 01}',
    "a control character": b'{"p\x00id": 1}',
    "bad UTF-8 in a name": b'{"pid\xff": 1}',
    "half a surrogate pair": b'{"pid": 1, "\\ud800": 1}',
    "half a surrogate pair, encoded": b'{"\xed\xa0\x80": 1}',
    "a list": b"[1]",
    "null": b"null",
    "a string": b'"pid"',
    "the same field twice": b'{"pid": 1, "pid": 2}',
    "the same field twice, once escaped": b'{"pid": 1, "p\\u0069d": 2}',
    "a thousand fields": b"{" + b",".join(b'"%d":1' % number for number in range(1000)) + b"}",
    "a deep list": b'{"pid":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a deep object": b'{"pid":' * 100_000 + b"1" + b"}" * 100_000,
    "depth without an end": b"[" * 1_000_000,
}
wrong = {
    b"{}": "pid",
    b'{"pid": "1"}': "pid",
    b'{"pid": 1.5}': "pid",
    b'{"pid": true}': "pid",
    b'{"pid": null}': "pid",
    b'{"pid": []}': "pid",
    b'{"pid": 0}': "pid",
    b'{"pid": 1e400}': "pid",
    b'{"pid": ' + b"9" * 100_000 + b"}": "pid",
    b'{"pid": 1, "token": 2}': "token",
}


@pytest.mark.parametrize("body", no_json.values(), ids=no_json)
def test_what_is_not_one_json_object_is_refused_in_one_sentence(body: bytes):
    with pytest.raises(HarmonizeError) as caught:
        wire.decode(body, FollowRequest)
    assert caught.value.code == "bad_json"
    assert caught.value.message.startswith("The body cannot be read as JSON: ")
    assert len(caught.value.message) < 120


@pytest.mark.parametrize(("body", "field"), wrong.items(), ids=range(len(wrong)))
def test_what_is_json_but_wrong_is_refused_with_the_field(body: bytes, field: str):
    with pytest.raises(HarmonizeError) as caught:
        wire.decode(body, FollowRequest)
    assert caught.value.code == "bad_field"
    assert field in caught.value.message
    assert len(caught.value.message) < 120


def test_a_name_of_a_megabyte_is_not_repeated():
    with pytest.raises(HarmonizeError, match="unknown field aaa") as caught:
        wire.decode(b'{"' + b"a" * 1_000_000 + b'": 1}', FollowRequest)
    assert len(caught.value.message) < 250


def test_a_request_is_read_with_its_defaults():
    body = b' {"width": 1, "height": 2,\n"composite": "", "mask": "", "light_strength": 1, "model": null} '
    asked = wire.decode(body, HarmonizeRequest)
    assert (asked.width, asked.height, asked.model, asked.background) == (1, 2, None, None)
    assert (asked.color_strength, asked.light_strength, asked.encoding, asked.points_for) == (1, 1, "display", None)


def test_a_form_has_numbers_as_text():
    fields = wire.convert({"harmonization": "{}", "color_strength": "0.25", "quality": "80"}, RenderFields)
    assert (fields.color_strength, fields.light_strength, fields.quality, fields.kind) == (0.25, 1, 80, "png")


@pytest.mark.parametrize("strength", ["nan", "inf", "-1", "1e999", "", "half", "true"])
def test_a_form_has_no_other_text_as_numbers(strength: str):
    with pytest.raises(HarmonizeError, match="color_strength"):
        wire.convert({"harmonization": "{}", "color_strength": strength}, RenderFields)


def test_an_errors_status_follows_from_its_code():
    told = {"bad_json": 400, "token_wrong": 401, "busy": 429, "mask_empty": 422, "internal": 500, "time_limit": 503}
    assert {code: wire.status(code) for code in told} == told
    assert wire.status("weights_of_some_new_kind") == 503


def test_only_who_may_know_it_is_told_the_log():
    error = HarmonizeError("busy", "The engine is busy.", "Try again.")
    told = {"code": "busy", "message": "The engine is busy.", "hint": "Try again."}
    assert msgspec.json.decode(wire.refusal(error)) == told
    assert msgspec.json.decode(wire.refusal(error, "/log")) == told | {"log": "/log"}


def test_what_is_told_of_a_file_whose_name_is_not_utf_8_can_be_read():
    path = "/home/B\udcfccher/server.log"
    told = json.loads(wire.refusal(HarmonizeError("busy", f"{path} is in the way.", "Wait."), path))
    assert (told["message"], told["log"]) == (f"{path} is in the way.", path)
