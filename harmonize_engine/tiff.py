"""TIFF of 8 and 16 bits per channel and of floats: an encoder, and a decoder for the layouts Pillow does not know."""

import struct
import zlib
from typing import IO

import numpy as np
from PIL import TiffImagePlugin

from harmonize_engine.composite import Pixels
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.exif import exif_ifd, gps_ifd, parsed

strip = 1 << 20  # bytes of a strip before compression
largest = 1 << 32  # offsets have 32 bits
deflated, horizontal = 8, 2  # compression and predictor


def encode(
    pixels: Pixels,
    file: IO[bytes],
    icc: bytes | None = None,
    exif: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write display-encoded pixels (H, W, 3|4), uint8, uint16 or float32, as little-endian TIFF with Deflate.

    Alpha is written as unassociated. Raises HarmonizeError `picture_too_large` above 4 GiB.
    """
    height, width, channels = pixels.shape
    rows = max(1, strip // (width * channels * pixels.dtype.itemsize))
    file.write(b"II*\0\0\0\0\0")
    offsets: list[int] = []
    counts: list[int] = []
    position = 8
    for start in range(0, height, rows):
        packed = _packed(pixels[start : start + rows])
        file.write(packed)
        offsets.append(position)
        counts.append(len(packed))
        position += len(packed)
    if position % 2:  # an IFD starts on a word
        file.write(b"\0")
        position += 1
    ifd = _directory(pixels, icc, exif, dpi)
    ifd[TiffImagePlugin.ROWSPERSTRIP] = rows
    ifd[TiffImagePlugin.STRIPOFFSETS] = tuple(offsets)
    ifd[TiffImagePlugin.STRIPBYTECOUNTS] = tuple(counts)
    tail = ifd.tobytes(position)
    if position + len(tail) >= largest:
        raise HarmonizeError(
            "picture_too_large", "The picture is too large for a TIFF file (4 GiB).", "Write PNG, or shrink it."
        )
    file.write(tail)
    file.seek(4)
    file.write(struct.pack("<I", position))
    file.seek(0, 2)


def _packed(rows: Pixels) -> bytes:
    """Compress some rows; whole numbers as differences to the left (predictor 2)."""
    little_endian = np.ascontiguousarray(rows, rows.dtype.newbyteorder("<"))
    if rows.dtype != np.float32:
        little_endian = little_endian.copy()
        little_endian[:, 1:] -= rows[:, :-1]
    deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    return deflate.compress(little_endian.tobytes()) + deflate.flush()


def _directory(
    pixels: Pixels, icc: bytes | None, exif: bytes | None, dpi: tuple[float, float] | None
) -> TiffImagePlugin.ImageFileDirectory_v2:
    height, width, channels = pixels.shape
    ifd = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\0\0\0\0")
    if exif:
        tags = parsed(exif)
        for tag, value in tags.items():
            ifd[tag] = tags.get_ifd(tag) if tag in (exif_ifd, gps_ifd) else value
    ifd[TiffImagePlugin.IMAGEWIDTH] = width
    ifd[TiffImagePlugin.IMAGELENGTH] = height
    ifd[TiffImagePlugin.BITSPERSAMPLE] = (8 * pixels.dtype.itemsize,) * channels
    ifd[TiffImagePlugin.COMPRESSION] = deflated
    ifd[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = 2  # RGB
    ifd[TiffImagePlugin.SAMPLESPERPIXEL] = channels
    ifd[TiffImagePlugin.PLANAR_CONFIGURATION] = 1
    ifd[TiffImagePlugin.SAMPLEFORMAT] = (3 if pixels.dtype == np.float32 else 1,) * channels
    if pixels.dtype != np.float32:
        ifd[TiffImagePlugin.PREDICTOR] = horizontal
    if channels == 4:
        ifd[TiffImagePlugin.EXTRASAMPLES] = 2  # unassociated alpha
    if dpi:
        ifd[TiffImagePlugin.RESOLUTION_UNIT] = 2  # inch
        ifd[TiffImagePlugin.X_RESOLUTION], ifd[TiffImagePlugin.Y_RESOLUTION] = dpi
    if icc:
        ifd[TiffImagePlugin.ICCPROFILE] = icc
    return ifd


def decode(file: IO[bytes], name: str) -> Pixels:
    """Read the first page through tifffile: (H, W, channels as stored), uint8, uint16 or float32, alpha unassociated.

    Raises HarmonizeError `color_unsupported` or `compression_unsupported`, and anything else for damaged bytes.
    """
    import tifffile  # a tenth of a second that most pictures need not wait for

    file.seek(0)
    page = tifffile.TiffFile(file).pages.first
    assert isinstance(page, tifffile.TiffPage)
    if page.axes not in ("YX", "YXS", "SYX") or page.photometric not in (1, 2) or page.dtype not in _depths:
        raise HarmonizeError(
            "color_unsupported",
            f"{name} stores its colours in a way that Harmonize does not read.",
            "Save it as RGB with 8 or 16 bits or as 32-bit float.",
        )
    if page.compression not in (1, 8, 32946, 32773):  # none, Deflate twice, PackBits
        raise HarmonizeError(
            "compression_unsupported",
            f"{name} is compressed with {page.compression.name}, which Harmonize does not read at this depth.",
            "Save it without compression or with Deflate.",
        )
    stored = page.asarray()
    pixels = np.moveaxis(stored, 0, -1) if page.axes == "SYX" else stored.reshape(*stored.shape[:2], -1)
    colours = 1 if page.photometric == 1 else 3
    alpha = page.extrasamples[:1] if page.extrasamples else ()
    pixels = pixels[..., : colours + (1 if alpha in ((1,), (2,)) else 0)].astype(_depths[page.dtype], copy=False)
    return _unassociated(pixels) if alpha == (1,) else pixels


_depths = {
    np.dtype(stored): np.dtype(kept)
    for stored, kept in (("u1", "u1"), ("u2", "u2"), ("f2", "f4"), ("f4", "f4"), ("f8", "f4"))
}


def _unassociated(pixels: Pixels) -> Pixels:
    """Divide colours by the alpha they were multiplied with."""
    alpha = pixels[..., -1:].astype(np.float32)
    whole = 1 if pixels.dtype == np.float32 else np.iinfo(pixels.dtype).max
    colours = pixels[..., :-1] * (whole / np.where(alpha > 0, alpha, whole))
    if pixels.dtype != np.float32:
        colours = np.rint(np.minimum(colours, whole))
    return np.concatenate([colours.astype(pixels.dtype), pixels[..., -1:]], axis=-1)
