"""Reading picture files as they are stored, whatever their bytes."""

import logging
import threading
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile

from harmonize_engine.composite import Pixels
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.pictures import exif, planes, tiff

# Image.open would also try dozens of formats that nobody asked for, and with its own limit of size.
kinds: dict[str, type[ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
}
signatures = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    *((start, "TIFF") for start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"BM", "BMP"),
)
for library in ("PIL", "tifffile"):  # without a handler their remarks on odd files reach the terminal
    logging.getLogger(library).addHandler(logging.NullHandler())


@dataclass(frozen=True, eq=False)
class Decoded:
    """The first picture of a file, upright. pixels: (H, W, 1..4) grey, grey + alpha, RGB or RGBA."""

    pixels: Pixels
    icc: bytes | None
    exif: bytes | None
    dpi: tuple[float, float] | None
    notes: tuple[str, ...]


def decode(file: IO[bytes], name: str, limit_megapixels: float) -> Decoded:
    """Read a picture from a file that can seek, from its beginning; pictures.read lists the errors, `name` is for them."""
    with quiet:
        file.seek(0)
        kind = _kind(file.read(16), name)
        try:
            return _decoded(file, kind, name, limit_megapixels)
        except HarmonizeError:
            raise
        except Exception as error:  # the decoders raise almost anything for damaged bytes
            raise HarmonizeError(
                "file_broken",
                f"{name} is not a whole {kind} picture: it is cut off, damaged or of a rare kind.",
                "Open it in an editor and save it again.",
            ) from error


def _decoded(file: IO[bytes], kind: str, name: str, limit: float) -> Decoded:
    if kind == "TIFF":
        page = tiff.first_page(file, name)
        _check_size(page.width, page.height, limit, name)
        if not page.known_to_pillow:
            pixels = tiff.decode(file, name)
            return _finished(pixels, page.icc, page.tags, page.dpi, [], name)

    def again() -> ImageFile:
        file.seek(0)
        return kinds[kind](file)

    image = again()
    _check_size(*image.size, limit, name)
    notes = ["Only the first of several pictures in the file was read."] if getattr(image, "is_animated", False) else []
    pixels, icc = planes.of(image, again, notes, name)
    tags = image.getexif()  # after the pixels: PNG may keep it behind them, and of TIFF Pillow has turned the picture
    return _finished(pixels, icc, tags, image.info.get("dpi"), notes, name)


def _check_size(width: int, height: int, limit: float, name: str) -> None:
    if width < 1 or height < 1:
        raise HarmonizeError("picture_empty", f"{name} has no pixels ({width}x{height}).", "Save it again.")
    if width * height > limit * 1e6:
        raise HarmonizeError(
            "picture_too_large",
            f"{name} has {width}x{height} pixels, more than the limit of {limit:g} megapixels.",
            "Raise the limit if that is meant to be so.",
        )


def _finished(pixels: Pixels, icc: bytes | None, tags: Image.Exif, dpi: Any, notes: list[str], name: str) -> Decoded:
    if pixels.dtype == np.float32 and not np.isfinite(pixels).all():
        raise HarmonizeError("not_finite", f"{name} holds values that are not numbers (NaN or Inf).", "Replace them.")
    if icc and not (len(icc) > 128 and icc[36:40] == b"acsp" and icc[16:20] == b"RGB "):
        icc = None
        notes.append("A colour profile that is not for RGB was left out.")
    try:
        kept, orientation = exif.carried(tags), tags.get(exif.orientation, 1)
    except Exception:  # damaged EXIF raises almost anything, and is no reason to refuse the picture
        kept, orientation = None, 1
        notes.append("Damaged EXIF was left out.")
    dots = _dots_per_inch(dpi)
    if orientation in upright:
        pixels = np.ascontiguousarray(upright[orientation](pixels))
        if dots and orientation >= 5:
            dots = dots[1], dots[0]
    return Decoded(pixels, icc or None, kept, dots, tuple(notes))


upright: dict[int, Callable[[Pixels], Pixels]] = {  # EXIF's orientation -> what puts the picture upright
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}


def _dots_per_inch(stored: Any) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in stored)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return (across, down) if 1 <= across <= 1e5 and 1 <= down <= 1e5 else None


@contextmanager
def opened(path: Path) -> Generator[IO[bytes]]:
    """Open a file for reading. Raises HarmonizeError `file_missing` or `file_unreadable`."""
    try:
        if path.is_dir():
            raise HarmonizeError("file_unreadable", f"{path} is a folder, not a picture.", "Name a picture file.")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise HarmonizeError("file_missing", f"There is no file {path}.", "Check its name and folder.") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise HarmonizeError("file_unreadable", f"{path} cannot be read: {reason}.", "Check its permissions.") from error
    with file:
        yield file


def _kind(head: bytes, name: str) -> str:
    if not head:
        raise HarmonizeError("picture_empty", f"{name} is an empty file.", "Save it again.")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    for start, kind in signatures:
        if head.startswith(start):
            return kind
    raise HarmonizeError(
        "format_unknown", f"{name} is not a picture that Harmonize reads.", "Use PNG, JPEG, TIFF, WebP or BMP."
    )


class _Quiet:
    """Silences warnings, and lifts Pillow's own size limit in favour of ours, as long as any thread reads a picture.

    Both are settings of the whole process: the first to enter changes them, the last to leave puts them back.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.readers = 0

    def __enter__(self) -> None:
        with self.lock:
            self.readers += 1
            if self.readers == 1:
                self.warnings = warnings.catch_warnings()
                self.warnings.__enter__()
                warnings.simplefilter("ignore")
                self.limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.readers -= 1
            if not self.readers:
                Image.MAX_IMAGE_PIXELS = self.limit
                self.warnings.__exit__(None, None, None)


quiet = _Quiet()
