"""Reading picture files as they are stored, whatever their bytes."""

import io
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import BmpImagePlugin, Image, ImageCms, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile

from harmonize_engine import exif, tiff
from harmonize_engine.composite import Pixels
from harmonize_engine.errors import HarmonizeError

# Image.open would also try dozens of formats that nobody asked for.
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
# A rawmode that keeps the high byte of each sample -> the one that keeps the low byte.
low_bytes = {f"{mode};16{order}": f"{mode};16{other}" for mode in ("RGB", "RGBA") for order, other in ("BL", "LB", "NB")}
for name in ("PIL", "tifffile"):
    logging.getLogger(name).addHandler(logging.NullHandler())  # else their warnings about odd files reach the terminal


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture file's first picture, upright: planes (H, W, 1..4) grey, grey + alpha, RGB or RGBA, and what it carries."""

    planes: Pixels
    icc: bytes | None
    exif: bytes | None
    dpi: tuple[float, float] | None
    notes: tuple[str, ...]


def decode(path: Path, limit_megapixels: float) -> Decoded:
    """Read a picture; see pictures.read for the errors."""
    with _opened(path) as file, _quiet():
        kind = _kind(file, path)
        try:
            return _Reading(file, kind, path.name, limit_megapixels).decoded()
        except HarmonizeError:
            raise
        except Exception as error:  # the decoders raise almost anything for damaged bytes
            raise HarmonizeError(
                "file_broken",
                f"{path.name} is not a whole {kind} picture: it is cut off, damaged or of a rare kind.",
                "Open it in an editor and save it again.",
            ) from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        if path.is_dir():
            raise HarmonizeError("file_unreadable", f"{path} is a folder, not a picture.", "Name a picture file.")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise HarmonizeError("file_missing", f"There is no file {path}.", "Check its name and folder.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise HarmonizeError("file_unreadable", f"{path} cannot be read: {reason}.", "Check its permissions.") from error


def _kind(file: IO[bytes], path: Path) -> str:
    head = file.read(16)
    file.seek(0)
    if not head:
        raise HarmonizeError("picture_empty", f"{path.name} is an empty file.", "Save it again.")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    for start, kind in signatures:
        if head.startswith(start):
            return kind
    raise HarmonizeError(
        "format_unknown", f"{path.name} is not a picture that Harmonize reads.", "Use PNG, JPEG, TIFF, WebP or BMP."
    )


_readers, _lock = 0, threading.Lock()
_before: list[Any] = []


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence warnings, and lift Pillow's own size limit in favour of ours, as long as any thread is reading."""
    global _readers
    with _lock:
        _readers += 1
        if _readers == 1:
            catching = warnings.catch_warnings()
            catching.__enter__()
            warnings.simplefilter("ignore")
            _before[:] = catching, Image.MAX_IMAGE_PIXELS
            Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        with _lock:
            _readers -= 1
            if not _readers:
                catching, Image.MAX_IMAGE_PIXELS = _before
                catching.__exit__(None, None, None)


class _Reading:
    """One file being read; notes are gathered on the way."""

    def __init__(self, file: IO[bytes], kind: str, name: str, limit_megapixels: float) -> None:
        self.file, self.kind, self.name, self.limit = file, kind, name, limit_megapixels
        self.notes: list[str] = []

    def decoded(self) -> Decoded:
        if self.kind == "TIFF" and self._layout() == "other":
            return self._through_tifffile()
        image = self._open()
        if getattr(image, "is_animated", False):
            self.notes.append("Only the first of several pictures in the file was read.")
        carried = self._carried_exif(image)
        planes, icc = self._planes(image)
        turn = image.getexif().get(exif.orientation, 1)  # 1 after loading TIFF: Pillow turns that by itself
        dots = _dpi(image.info.get("dpi"))
        return self._finished(planes, turn, icc, carried, dots)

    def _open(self) -> ImageFile:
        self.file.seek(0)
        image = kinds[self.kind](self.file)
        self._check(*image.size)
        return image

    def _check(self, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise HarmonizeError("picture_empty", f"{self.name} has no pixels ({width}x{height}).", "Save it again.")
        if width * height > self.limit * 1e6:
            raise HarmonizeError(
                "picture_too_large",
                f"{self.name} has {width}x{height} pixels, more than the limit of {self.limit:g} megapixels.",
                "Raise the limit if that is meant to be so.",
            )

    def _carried_exif(self, image: ImageFile) -> bytes | None:
        try:
            image.getexif()  # PNG may keep it after the pixels
            return exif.carried(image.getexif())
        except Exception:  # as above: damaged EXIF raises almost anything, and is no reason to refuse the picture
            self.notes.append("Damaged EXIF was left out.")
            return None
