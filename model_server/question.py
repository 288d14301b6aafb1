"""The question of a request: from a body of JSON and base64 to a composite."""

import binascii
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from harmonize_engine.composite import Composite, Pixels, Singles, proxy
from harmonize_engine.errors import HarmonizeError
from model_server.limits import Limits
from model_server.wire import HarmonizeRequest, Host, decode


@dataclass(frozen=True, eq=False)
class Question:
    """What is left of a request's body while it waits for its turn."""

    composite: Composite
    model: str | None
    color_strength: float
    light_strength: float
    points_for: Host | None

    @classmethod
    def of(cls, body: bytes, limits: Limits) -> "Question":
        """Read a body. Raises HarmonizeError for whatever cannot be used."""
        asked = decode(body, HarmonizeRequest)
        return cls(composite(asked, limits), asked.model, asked.color_strength, asked.light_strength, asked.points_for)


def composite(request: HarmonizeRequest, limits: Limits) -> Composite:
    """Make the composite of a request. Raises HarmonizeError for sizes, planes and masks that cannot be used."""
    refuse_unusable(request, limits)
    image, mask = _plane(request, "composite", 3), _plane(request, "mask")
    background, reference = _plane(request, "background", 3), _plane(request, "reference_mask")
    assert image is not None and mask is not None
    seen = proxy(image, mask, background, reference)
    if seen.mask.shape != mask.shape:
        return seen
    # nothing was shrunk: bytes wait for their turn in a quarter of the room, and become floats when a model looks at them
    return Composite(*cast(tuple[Singles, Singles, Singles | None, Singles | None], (image, mask, background, reference)))


def refuse_unusable(request: HarmonizeRequest, limits: Limits) -> None:
    """Check what can be checked before a plane is decoded. Raises HarmonizeError."""
    if request.encoding != "display":
        raise HarmonizeError(
            "encoding_unknown",
            f"The encoding {request.encoding[:64]!r} is not known.",
            "Send display-encoded values, as the document shows them, with encoding 'display'.",
        )
    if request.width * request.height > limits.proxy_pixels:
        raise HarmonizeError(
            "picture_too_large",
            f"The proxy has {request.width}x{request.height} pixels, more than {limits.proxy_pixels}.",
            "Shrink it to 512 pixels; more are not looked at.",
        )
    for name, channels in (("composite", 3), ("mask", 1), ("background", 3), ("reference_mask", 1)):
        plane: str | None = getattr(request, name)
        wanted = 4 * -(-request.width * request.height * channels // 3)
        if plane is not None and len(plane) != wanted:
            raise HarmonizeError(
                f"{name.split('_')[0]}_size",
                f"The field {name} has {len(plane)} characters of base64; {request.width}x{request.height} pixels"
                f" of {channels} byte{'s' * (channels > 1)} take {wanted}.",
                "Send 8-bit values without padding between rows, in base64 with its padding.",
            )


def _plane(request: HarmonizeRequest, name: str, channels: int = 1) -> Pixels | None:
    text: str | None = getattr(request, name)
    if text is None:
        return None
    try:
        content = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # characters beyond ASCII raise the plain one
        raise _bad_base64(f"The field {name} is not base64.") from None
    size = (request.height, request.width, channels)
    if len(content) != request.width * request.height * channels:
        raise _bad_base64(f"The field {name} is base64 of {len(content)} bytes, not of {size[1]}x{size[0]} pixels.")
    values: NDArray[np.uint8] = np.frombuffer(content, np.uint8).reshape(size)
    return values if channels > 1 else values[..., 0]


def _bad_base64(message: str) -> HarmonizeError:
    return HarmonizeError("bad_base64", message, "Use the alphabet with + and /, with padding and without line breaks.")
