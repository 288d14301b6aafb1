"""Small pictures and files for the tests of pictures."""

import io
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.pictures import Picture, read, write

srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
artist, exposure = 0x013B, 0x829A
small = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3) * 2


def photo(depth=np.uint8, channels=3, height=21, width=34) -> np.ndarray:
    """A smooth picture with noise, different in every channel."""
    random = np.random.default_rng(3)
    slope = np.linspace(0.1, 0.8, height)[:, None, None] * np.linspace(1, 0.5, width)[:, None]
    values = slope * np.linspace(0.6, 1, channels) + random.normal(0, 0.02, (height, width, channels))
    return values.astype(np.float32) if depth == np.float32 else (values * np.iinfo(depth).max).astype(depth)


def camera_exif(orientation: int | None = None) -> Image.Exif:
    tags = Image.Exif()
    tags[artist] = "Ada"
    tags[0x8769] = {exposure: 0.004, 0xA002: 9999}  # the second is the old width
    if orientation is not None:
        tags[0x0112] = orientation
    return tags


def kept_exif() -> bytes:
    tags = Image.Exif()
    tags[artist] = "Ada"
    tags[0x8769] = {exposure: 0.004}
    return tags.tobytes()[6:]


def refused(code: str, path: Path, **options) -> HarmonizeError:
    with pytest.raises(HarmonizeError) as refusal:
        read(path, **options)
    assert refusal.value.code == code
    assert refusal.value.message.endswith(".")
    return refusal.value


def png_of(samples: np.ndarray, colour_type: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG without filters, for the kinds that no library here writes."""
    height, width = samples.shape[:2]
    rows = samples.reshape(height, -1).astype(">u2").view(np.uint8)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def with_tags(tif: bytes, changed: dict[int, int | list[int]]) -> bytes:
    """Rewrite tags of a little-endian TIFF in a new directory at its end."""
    (start,) = struct.unpack_from("<I", tif, 4)
    (count,) = struct.unpack_from("<H", tif, start)
    entries = {}
    for i in range(count):
        entry = tif[start + 2 + 12 * i : start + 14 + 12 * i]
        entries[struct.unpack_from("<H", entry)[0]] = entry
    tail = b""
    where = len(tif) + len(tif) % 2
    for tag, value in changed.items():
        if isinstance(value, int):
            entries[tag] = struct.pack("<HHIHH", tag, 3, 1, value, 0)
        else:
            entries[tag] = struct.pack("<HHII", tag, 3, len(value), where + len(tail))
            tail += struct.pack(f"<{len(value)}H", *value)
            tail += b"\0" * (len(tail) % 2)
    directory = struct.pack("<H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries)) + b"\0" * 4
    padded = tif + b"\0" * (len(tif) % 2)
    return padded[:4] + struct.pack("<I", where + len(tail)) + padded[8:] + tail + directory


def files() -> dict[str, bytes]:
    """One valid file of every kind."""
    made = {}
    for suffix, depth in (("png", np.uint8), ("16.png", np.uint16), ("jpg", np.uint8), ("webp", np.uint8)):
        made[suffix] = written(depth, suffix)
    for suffix, depth in (("tif", np.uint8), ("16.tif", np.uint16), ("32.tif", np.float32)):
        made[suffix] = written(depth, suffix)
    buffer = io.BytesIO()
    Image.fromarray(small).save(buffer, "BMP")
    made["bmp"] = buffer.getvalue()
    buffer = io.BytesIO()
    Image.fromarray(small).quantize(8).save(buffer, "PNG", transparency=2)
    made["palette.png"] = buffer.getvalue()
    return made


def written(depth, suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{suffix}"
        pixels = photo(depth, 3)[:9, :12]
        write(Picture(pixels, icc=srgb[:600], exif=kept_exif(), dpi=(72.0, 72.0)), path)
        return path.read_bytes()
