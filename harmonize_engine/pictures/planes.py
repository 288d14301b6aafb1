"""What Pillow read, as arrays: every mode of a picture becomes grey, grey + alpha, RGB or RGBA with all its bits."""

import io
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from harmonize_engine.composite import Pixels
from harmonize_engine.errors import HarmonizeError

# Pillow keeps 8 bits of 16-bit colours. Its layouts that keep the high byte -> those that keep the low byte.
native = "RGB;16B" if sys.byteorder == "little" else "RGB;16L"
low_bytes = {"RGB;16B": "RGB;16L", "RGB;16L": "RGB;16B", "RGB;16N": native}
low_bytes |= {high.replace("RGB", "RGBA"): low.replace("RGB", "RGBA") for high, low in low_bytes.items()}
grey_alpha, four_bytes = "LA;16B", "RGBA"
as_they_are = {"L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "F": "F"}
converted = {"1": "L", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB"}
deep_grey = ("I;16", "I;16B", "I;16L")


def of(image: ImageFile, again: Callable[[], ImageFile], notes: list[str], name: str) -> tuple[Pixels, bytes | None]:
    """Decode a picture just opened: (H, W, 1..4) uint8, uint16 or float32, and its colour profile; notes are added.

    again: opens the same picture once more. Raises HarmonizeError `color_unsupported` or `cmyk_without_profile`, and
    anything else for damaged bytes.
    """
    rawmode = _rawmode(image)
    icc = image.info.get("icc_profile")
    if rawmode == grey_alpha:
        return _loaded(image, four_bytes).view(">u2").astype(np.uint16), icc
    if rawmode in low_bytes:
        high = _loaded(image, rawmode).astype(np.uint16)
        pixels = (high << 8 | _loaded(again(), low_bytes[rawmode])).astype(np.uint16, copy=False)
        return _with_key(pixels, image.info.get("transparency")), icc
    image.load()
    icc = image.info.get("icc_profile")  # PNG may keep it behind the pixels
    if image.mode in deep_grey:
        return _with_key(np.expand_dims(np.asarray(image), -1).astype(np.uint16), image.info.get("transparency")), icc
    if image.mode == "CMYK":
        notes.append("The CMYK picture was converted to sRGB.")
        return _from_cmyk(image, icc, name)
    if image.mode in ("P", "PA"):
        notes.append("The palette picture was converted to RGB.")
    return _shaped(image.convert(_target(image, name))), icc


def _rawmode(image: ImageFile) -> str:
    args = image.tile[0].args if image.tile else ""
    return str(args[0]) if isinstance(args, tuple) else str(args)


def _loaded(image: ImageFile, rawmode: str) -> NDArray[np.uint8]:
    """Decode with another layout of the same number of bytes per pixel: the bytes that Pillow would drop."""
    image.tile = [
        tile._replace(args=(rawmode, *tile.args[1:]) if isinstance(tile.args, tuple) else rawmode) for tile in image.tile
    ]
    image.load()
    return np.asarray(image)


def _with_key(pixels: Pixels, key: int | tuple[int, ...] | None) -> Pixels:
    """Make the one colour that a PNG names transparent."""
    if key is None:
        return pixels
    alpha = np.where((pixels == np.array(key)).all(-1, keepdims=True), 0, 65535).astype(np.uint16)
    return np.concatenate([pixels, alpha], axis=-1)


def _target(image: Image.Image, name: str) -> str:
    transparent = "transparency" in image.info
    if image.mode in ("P", "PA"):
        return "RGBA" if transparent or image.mode == "PA" else "RGB"
    mode = {**as_they_are, **converted}.get(image.mode)
    if mode is None:
        raise HarmonizeError(
            "color_unsupported",
            f"{name} stores its colours as {image.mode}, which Harmonize does not read.",
            "Save it as RGB with 8 or 16 bits or as 32-bit float.",
        )
    return mode + "A" if transparent and mode in ("L", "RGB") else mode


def _from_cmyk(image: Image.Image, icc: bytes | None, name: str) -> tuple[Pixels, bytes]:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc or b""))
        picture = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
    except (OSError, ImageCms.PyCMSError) as error:
        raise HarmonizeError(
            "cmyk_without_profile",
            f"{name} is a CMYK picture without a usable colour profile.",
            "Convert it to RGB in an editor.",
        ) from error
    assert picture is not None
    return _shaped(picture), srgb.tobytes()


def _shaped(image: Image.Image) -> Pixels:
    samples: Pixels = np.asarray(image)
    return samples if samples.ndim == 3 else np.expand_dims(samples, -1)
