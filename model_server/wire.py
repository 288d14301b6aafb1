"""What goes over the wire: every request, answer and error defined once; the OpenAPI document is made of the same."""

import json
from typing import Annotated, Any, Literal, TypeVar, cast

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from harmonize_engine.errors import HarmonizeError

protocols = ["v1"]  # that this server speaks, the oldest first
hint = "/v1/openapi.json describes every field."
most_fields = 32  # of a request's object; none of ours has half as many
longest_side = 65536  # pixels; limits.proxy_pixels decides sooner

Base64 = Annotated[str, Meta(extra_json_schema={"contentEncoding": "base64"})]
Strength = Annotated[float, Meta(ge=0, le=1, description="Weakens these adjustments; at 0 they are left out.")]
Host = Literal["gimp", "krita"]


class HarmonizeRequest(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A proxy of a composite: 8-bit display-encoded values, rows from the top; 512 pixels each way are enough."""

    width: Annotated[int, Meta(ge=1, le=longest_side, description="Pixels; all planes have this size.")]
    height: Annotated[int, Meta(ge=1, le=longest_side)]
    composite: Annotated[Base64, Meta(description="RGB, 3 bytes a pixel.")]
    mask: Annotated[Base64, Meta(description="1 byte a pixel, 255 = foreground.")]
    background: Annotated[Base64, Meta(description="The picture without the foreground, RGB.")] | None = None
    reference_mask: Annotated[Base64, Meta(description="255 = the part of the background to match.")] | None = None
    model: Annotated[str, Meta(min_length=1, max_length=64, description="One of /v1/models.")] | None = None
    color_strength: Strength = 1.0
    light_strength: Strength = 1.0
    encoding: Annotated[str, Meta(extra_json_schema={"enum": ["display"]})] = "display"
    points_for: Annotated[Host, Meta(description="Whose curves to give draggable points for.")] | None = None


class Points(Struct, frozen=True):
    """Points to drag whose curve, as the host draws it, stays within an 8-bit level of the tone curve."""

    x: list[float]
    y: list[float]


class Timing(Struct, frozen=True):
    """Milliseconds: for its turn, in the look that `batch` proxies shared, and from the request's head to the answer."""

    waited_ms: float
    looked_ms: float
    total_ms: float
    batch: int


class EngineName(Struct, frozen=True):
    """What looked, and where."""

    device: str
    version: str


class HarmonizeAnswer(Struct, frozen=True):
    """The adjustments at the strengths asked for. points: parallel to them, null for what is no tone curves.

    Of tone curves points hold one entry for each of R, G, B, null where 16 points cannot follow.
    """

    harmonization: Annotated[Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/Harmonization"})]
    points: list[list[Points | None] | None] | None
    timing: Timing
    engine: EngineName


class RenderFields(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """How to render a picture; the picture and its mask are parts of the same form."""

    harmonization: Annotated[str, Meta(extra_json_schema={"contentMediaType": "application/json"})]
    color_strength: Strength = 1.0
    light_strength: Strength = 1.0
    kind: Literal["png", "jpg", "tif", "webp"] = "png"
    quality: Annotated[int, Meta(ge=1, le=100, description="Of jpg and webp.")] = 95


class DeviceState(Struct, frozen=True):
    """What the default model runs on. reason: why it is not what was asked for, or empty."""

    name: str
    provider: str
    reason: str
    milliseconds: float | None


class Memory(Struct, frozen=True):
    """Bytes: what the process takes, and what its models may."""

    rss: int
    limit: int


class Health(Struct, frozen=True):
    """How the server is."""

    status: Literal["ok", "stopping"]
    version: str
    protocol: Annotated[str, Meta(description="The newest that it speaks.")]
    protocols: Annotated[list[str], Meta(description="All that it speaks, the oldest first.")]
    pid: int
    started: Annotated[float, Meta(description="Seconds since 1970.")]
    uptime_s: float
    device: DeviceState
    models_loaded: list[str]
    memory: Memory
    waiting: int
    idle_exit_s: float | None
    follows: list[int]
    log: str | None
    log_problem: str | None


class ModelState(Struct, frozen=True):
    """A model that can be asked for."""

    name: str
    version: str
    summary: str
    weights_sha256: str | None
    default: bool
    loaded: bool
    device: str | None


class Models(Struct, frozen=True):
    """Every model, the default first."""

    models: list[ModelState]


class FollowRequest(Struct, forbid_unknown_fields=True, frozen=True):
    """A process to leave with."""

    pid: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class Following(Struct, frozen=True):
    """The processes that keep the server; when the last one ends it leaves."""

    follows: list[int]


class Stopping(Struct, frozen=True):
    """The server finishes what it is doing and leaves."""

    status: Literal["stopping"] = "stopping"


class Refusal(Struct, frozen=True):
    """What is wrong in one sentence, and what to do. code: stable; log: the file that says more, for who has the token."""

    code: str
    message: str
    hint: str
    log: str | UnsetType = UNSET


statuses = {
    "bad_json": 400,
    "bad_form": 400,
    "bad_http": 400,
    "token_wrong": 401,
    "host_refused": 403,
    "origin_refused": 403,
    "not_found": 404,
    "method_refused": 405,
    "body_slow": 408,
    "body_too_large": 413,
    "media_type": 415,
    "busy": 429,
    "internal": 500,
    "stopping": 503,
    "time_limit": 503,
    "runtime_missing": 503,
    "weights_missing": 503,
    "weights_changed": 503,
}


def status(code: str) -> int:
    """The HTTP status of an error's code: 422 where it is about the content of a request."""
    return 503 if code.startswith("weights_") else statuses.get(code, 422)


def refusal(error: HarmonizeError, log: str | None = None) -> bytes:
    """An error as JSON."""
    return encode(Refusal(error.code, error.message, error.hint or hint, log or UNSET))


def encode(content: object) -> bytes:
    """Anything of ours as JSON. A file's name that is not UTF-8 comes with half surrogate pairs, as Python reads it."""
    try:
        return msgspec.json.encode(content)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(content)).encode()


Request = TypeVar("Request", bound=Struct)


def decode(body: bytes, kind: type[Request]) -> Request:
    """Read a request's JSON. Raises HarmonizeError `bad_json` for what is not one JSON object, else `bad_field`."""
    try:
        # values are only skipped here, so that neither depth nor width costs memory
        msgspec.json.decode(body, type=dict[_Name, Raw], dec_hook=_Names())
        return msgspec.json.decode(body, type=kind)
    except RecursionError:
        raise _bad_json("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise _bad_json("it is not UTF-8") from None
    except msgspec.ValidationError as error:
        raise _unusable(error) from None
    except msgspec.DecodeError as error:
        raise _bad_json(_malformed(str(error))) from None


def convert(fields: dict[str, Any], kind: type[Request]) -> Request:
    """Read a form's fields, numbers from their text. Raises HarmonizeError `bad_field`."""
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _unusable(error) from None


class _Name:
    """A field's name."""


class _Names:
    """Hears every name of an object, which says what a dict would hide: that a name comes twice."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, kind: type, name: str) -> _Name:
        if name in self.seen:
            raise _bad_json(f"the field {name[:64]!r} comes twice")
        if len(self.seen) == most_fields:
            raise _bad_json(f"it has more than {most_fields} fields")
        self.seen.add(name)
        return _Name()


def _bad_json(reason: str) -> HarmonizeError:
    return HarmonizeError(
        "bad_json", f"The body cannot be read as JSON: {reason}.", "Send one JSON object as /v1/openapi.json describes it."
    )


def _malformed(reason: str) -> str:
    if "truncated" in reason:  # msgspec takes half a surrogate pair for the end, too
        return "it is cut off, or holds half a surrogate pair"
    return reason.removeprefix("JSON is malformed: ")


def _unusable(error: msgspec.ValidationError) -> HarmonizeError:
    """Say it as a sentence, with the field first: msgspec says "Expected `int`, got `str` - at `$.width`"."""
    reason, _, place = str(error).partition(" - at `$")
    if reason.startswith("Expected `object`") and not place:
        return _bad_json("it is not an object")
    where = f"The field {place.strip('.`')}" if place else "The request"
    plain = "".join(c if c.isprintable() else " " for c in reason.replace("`", "")[:160]).rstrip(".")
    return bad_field(f"{where} cannot be used: {plain[:1].lower()}{plain[1:]}.")


def bad_field(message: str) -> HarmonizeError:
    """Say which field is wrong."""
    return HarmonizeError("bad_field", message, hint)


def retry_after(error: HarmonizeError) -> int | None:
    """In how many seconds to come again, if the error says so."""
    return cast(int | None, getattr(error, "retry_after", None))
