"""PNG of 8 and 16 bits per channel.

Pillow has no 16-bit RGB at all, and no small well-kept library has it with metadata (pypng and numpngw are pure Python,
imagecodecs and OpenCV are tens of megabytes), so the encoder is our own over zlib; decoding borrows Pillow's.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import IO

import numpy as np

from harmonize_engine.composite import Pixels

signature = b"\x89PNG\r\n\x1a\n"
band = 1 << 20  # bytes filtered and compressed at a time
colour_types = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> grey, grey + alpha, RGB, RGBA


def encode(
    pixels: Pixels,
    file: IO[bytes],
    icc: bytes | None = None,
    exif: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write display-encoded pixels as PNG: (H, W) grey or (H, W, 1..4), uint8 or uint16.

    icc becomes iCCP, exif (a TIFF structure) eXIf, dpi pHYs. Raises what writing to `file` raises.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    bits = 8 * pixels.dtype.itemsize
    file.write(signature)
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_types[channels], 0, 0, 0))
    if icc:
        _chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if dpi:
        _chunk(file, b"pHYs", struct.pack(">IIB", *(round(value / 0.0254) for value in dpi), 1))
    if exif:
        _chunk(file, b"eXIf", exif)
    # Runs only: on photographs smaller than what a fast search for repeats finds, and faster.
    deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    for rows in _filtered(pixels.reshape(height, width, channels)):
        _chunk(file, b"IDAT", deflate.compress(rows.tobytes()))
    _chunk(file, b"IDAT", deflate.flush())
    _chunk(file, b"IEND", b"")


def _filtered(pixels: Pixels) -> Iterator[np.ndarray]:
    """Each byte less the one a pixel to its left (filter type 1, Sub), some rows at a time."""
    height, width, channels = pixels.shape
    pixel = channels * pixels.dtype.itemsize
    rows = max(1, band // (width * pixel))
    big_endian = pixels.dtype.newbyteorder(">")
    for start in range(0, height, rows):
        part = np.ascontiguousarray(pixels[start : start + rows], big_endian).view(np.uint8)
        given = part.reshape(len(part), width * pixel)
        made = np.empty((len(given), 1 + width * pixel), np.uint8)
        made[:, 0] = 1
        made[:, 1 : 1 + pixel] = given[:, :pixel]
        np.subtract(given[:, pixel:], given[:, :-pixel], out=made[:, 1 + pixel :])
        yield made


def _chunk(file: IO[bytes], name: bytes, content: bytes) -> None:
    file.write(struct.pack(">I", len(content)))
    file.write(name)
    file.write(content)
    file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(name))))
