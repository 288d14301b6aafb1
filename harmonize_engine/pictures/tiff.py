"""TIFF of 8 and 16 bits per channel and of floats: an encoder, and a decoder for the layouts Pillow does not know."""

import struct
import zlib
from dataclasses import dataclass
from itertools import accumulate
from typing import IO

import numpy as np
from PIL import Image, TiffImagePlugin, TiffTags

from harmonize_engine.composite import Pixels, peak
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.pictures.exif import exif_ifd, gps_ifd, parsed

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
    strips = [_packed(pixels[start : start + rows]) for start in range(0, height, rows)]
    counts = [len(packed) for packed in strips]
    ifd = _directory(pixels, icc, exif, dpi)
    ifd[TiffImagePlugin.ROWSPERSTRIP] = rows
    ifd[TiffImagePlugin.STRIPBYTECOUNTS] = tuple(counts)
    ifd[TiffImagePlugin.STRIPOFFSETS] = tuple(accumulate(counts[:-1], initial=0))  # from the end of the IFD
    ifd.tagtype[TiffImagePlugin.STRIPOFFSETS] = TiffTags.LONG
    head = b"II*\0" + struct.pack("<I", 8)
    if len(head) + len(strips) * 64 + len(icc or b"") + len(exif or b"") + sum(counts) >= largest:
        raise HarmonizeError(
            "picture_too_large", "The picture is too large for a TIFF file (4 GiB).", "Write PNG, or shrink it."
        )
    file.write(head + ifd.tobytes(len(head)))
    for packed in strips:
        file.write(packed)


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


@dataclass(frozen=True)
class Page:
    """What the header says about a file's first picture, before any pixel is read."""

    width: int
    height: int
    known_to_pillow: bool  # in all its bits; Pillow or planes.py reads it, else `decode` here
    tags: Image.Exif
    icc: bytes | None
    dpi: tuple[float, float] | None


def first_page(file: IO[bytes], name: str) -> Page:
    """Read the header of a TIFF. Raises HarmonizeError `color_unsupported`, and anything else for damaged bytes."""
    file.seek(0)
    header = file.read(8)
    if header[2] == 43 or header[3] == 43:  # BigTIFF
        header += file.read(8)
    ifd = TiffImagePlugin.ImageFileDirectory_v2(header)
    file.seek(ifd.next)
    ifd.load(file)
    _refuse_cut_off(file, ifd)
    bits = ifd.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    if set(bits) - {1, 2, 4, 8, 16, 32, 64}:
        raise _unsupported(name)
    tags = Image.Exif()
    tags.bigtiff = len(header) == 16
    file.seek(0)
    tags.load_from_fp(file)
    unit = {2: 1.0, 3: 2.54}.get(ifd.get(TiffImagePlugin.RESOLUTION_UNIT, 2), 0.0)
    dots = [float(ifd.get(tag, 0)) * unit for tag in (TiffImagePlugin.X_RESOLUTION, TiffImagePlugin.Y_RESOLUTION)]
    return Page(
        width=ifd[TiffImagePlugin.IMAGEWIDTH],
        height=ifd[TiffImagePlugin.IMAGELENGTH],
        known_to_pillow=_known_to_pillow(ifd, bits),
        tags=tags,
        icc=ifd.get(TiffImagePlugin.ICCPROFILE),
        dpi=(dots[0], dots[1]),
    )


def _refuse_cut_off(file: IO[bytes], ifd: TiffImagePlugin.ImageFileDirectory_v2) -> None:
    """Look for pixels behind the end of the file, of which libtiff would complain on the terminal."""
    end = file.seek(0, 2)
    for offsets, counts in (
        (TiffImagePlugin.STRIPOFFSETS, TiffImagePlugin.STRIPBYTECOUNTS),
        (TiffImagePlugin.TILEOFFSETS, TiffImagePlugin.TILEBYTECOUNTS),
    ):
        if any(start + count > end for start, count in zip(ifd.get(offsets, ()), ifd.get(counts, ()), strict=True)):
            raise EOFError


def _known_to_pillow(ifd: TiffImagePlugin.ImageFileDirectory_v2, bits: tuple[int, ...]) -> bool:
    photometric = ifd.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION)
    whole = set(ifd.get(TiffImagePlugin.SAMPLEFORMAT, (1,))) == {1}
    if max(bits) <= 8:
        return True
    if ifd.get(TiffImagePlugin.SAMPLESPERPIXEL, 1) == 1:
        return photometric == 1 and bits == ((16,) if whole else (32,))
    contiguous = ifd.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 1
    plain_alpha = ifd.get(TiffImagePlugin.EXTRASAMPLES, ()) in ((), (2,))
    return photometric == 2 and whole and set(bits) == {16} and contiguous and plain_alpha


def decode(file: IO[bytes], name: str) -> Pixels:
    """Read the first page through tifffile: (H, W, channels as stored), uint8, uint16 or float32, alpha unassociated.

    Raises HarmonizeError `color_unsupported` or `compression_unsupported`, and anything else for damaged bytes.
    """
    import tifffile  # a tenth of a second that most pictures need not wait for

    file.seek(0)
    page = tifffile.TiffFile(file, name="picture").pages.first  # of a file without a name it would ask the name
    assert isinstance(page, tifffile.TiffPage)
    if (
        page.dtype is None
        or page.axes not in ("YX", "YXS", "SYX")
        or page.photometric not in (0, 1, 2)
        or page.dtype not in _depths
    ):
        raise _unsupported(name)
    if page.compression not in (1, 8, 32946, 32773):  # none, Deflate twice, PackBits
        method = getattr(page.compression, "name", page.compression)
        raise HarmonizeError(
            "compression_unsupported",
            f"{name} is compressed in a way ({method}) that Harmonize does not read at this depth.",
            "Save it without compression or with Deflate.",
        )
    stored = page.asarray()
    pixels = np.moveaxis(stored, 0, -1) if page.axes == "SYX" else stored.reshape(*stored.shape[:2], -1)
    colours = 3 if page.photometric == 2 else 1
    alpha = page.extrasamples[:1] if page.extrasamples else ()
    pixels = pixels[..., : colours + (1 if alpha in ((1,), (2,)) else 0)].astype(_depths[page.dtype], copy=False)
    if page.photometric == 0:  # white is zero
        pixels[..., 0] = peak(pixels) - pixels[..., 0]
    return _unassociated(pixels) if alpha == (1,) else pixels


def _unsupported(name: str) -> HarmonizeError:
    return HarmonizeError(
        "color_unsupported",
        f"{name} stores its colours in a way that Harmonize does not read.",
        "Save it as RGB with 8 or 16 bits or as 32-bit float.",
    )


_depths = {
    np.dtype(stored): np.dtype(kept)
    for stored, kept in (("u1", "u1"), ("u2", "u2"), ("f2", "f4"), ("f4", "f4"), ("f8", "f4"))
}


def _unassociated(pixels: Pixels) -> Pixels:
    """Divide colours by the alpha they were multiplied with."""
    alpha = pixels[..., -1:].astype(np.float32)
    whole = peak(pixels)
    colours = pixels[..., :-1] * (whole / np.where(alpha > 0, alpha, whole))
    if pixels.dtype != np.float32:
        colours = np.rint(np.minimum(colours, whole))
    return np.concatenate([colours.astype(pixels.dtype), pixels[..., -1:]], axis=-1)
