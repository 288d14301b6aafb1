"""Pictures in files: 8 bit, 16 bit and float, with alpha, colour profile, EXIF and resolution."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from harmonize_engine.composite import Pixels, peak
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files.atomic import atomic
from harmonize_engine.pictures import png, tiff
from harmonize_engine.pictures.decoder import decode, opened
from harmonize_engine.pictures.depth import as_depth

limit_megapixels = 400
luminance = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709


@dataclass(frozen=True, eq=False)
class Picture:
    """Display-encoded pixels and what belongs to them.

    pixels: (H, W, 3|4) RGB or RGBA, alpha not premultiplied, uint8, uint16 or float32 (floats may lie beyond [0,1]).
    icc: an RGB colour profile, None = sRGB; exif: a TIFF structure without the "Exif" prefix, no orientation in it;
    dpi: across and down; notes: sentences on what was converted while reading.
    """

    pixels: Pixels
    icc: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


def read(path: Path, limit_megapixels: float = limit_megapixels) -> Picture:
    """Read PNG, JPEG, TIFF, WebP or BMP as display-encoded RGB or RGBA at its own depth, upright.

    Raises HarmonizeError `file_missing`, `file_unreadable`, `format_unknown`, `file_broken`, `picture_empty`,
    `picture_too_large` (found before decoding), `not_finite`, `color_unsupported`, `compression_unsupported` or
    `cmyk_without_profile`, and nothing else whatever the bytes.
    """
    path = Path(path)
    with opened(path) as file:
        return read_file(file, path.name, limit_megapixels)


def read_file(file: IO[bytes], name: str, limit_megapixels: float = limit_megapixels) -> Picture:
    """Read a picture as `read` does, from a file that can seek; `name` is what errors call it.

    Raises what `read` raises, but for `file_missing` and `file_unreadable`.
    """
    decoded = decode(file, name, limit_megapixels)
    pixels, notes = decoded.pixels, decoded.notes
    if pixels.shape[2] < 3:
        pixels = pixels[..., [0, 0, 0, *range(1, pixels.shape[2])]]
        notes = (*notes, "The greyscale picture was converted to RGB.")
    return Picture(pixels, decoded.icc, decoded.exif, decoded.dpi, notes)


def read_mask(path: Path, limit_megapixels: float = limit_megapixels, notes: list[str] | None = None) -> Pixels:
    """Read a mask: (H, W) uint8, uint16 or float32, white = foreground; `notes` receives how it was made of the picture.

    Grey is taken as it is, colour as Rec. 709 luminance of the display-encoded values. Transparent counts as black,
    except where the visible part has one colour only: then alpha is the mask. Raises what `read` raises.
    """
    path = Path(path)
    with opened(path) as file:
        return read_mask_file(file, path.name, limit_megapixels, notes)


def read_mask_file(
    file: IO[bytes], name: str, limit_megapixels: float = limit_megapixels, notes: list[str] | None = None
) -> Pixels:
    """Read a mask as `read_mask` does, from a file that can seek; `name` is what errors call it."""
    decoded = decode(file, name, limit_megapixels)
    remarks = list(decoded.notes)
    pixels = decoded.pixels
    colours, alpha = (pixels, None) if pixels.shape[2] in (1, 3) else (pixels[..., :-1], pixels[..., -1])
    opaque = peak(pixels)
    if alpha is None or (alpha == opaque).all():
        mask = _grey(colours, remarks)
    elif _one_colour(colours[alpha > 0]):
        remarks.append("The mask was taken from the picture's alpha.")
        mask = alpha
    else:
        remarks.append("Transparent parts of the mask count as black.")
        product = _grey(colours, remarks) * (alpha / np.float32(opaque))
        mask = product.astype(np.float32) if pixels.dtype == np.float32 else np.rint(product).astype(pixels.dtype)
    if notes is not None:
        notes.extend(remarks)
    return np.ascontiguousarray(mask)


def _one_colour(visible: Pixels) -> bool:
    return bool((visible == visible[:1]).all())


def _grey(colours: Pixels, remarks: list[str]) -> Pixels:
    first = colours[..., 0]
    if all(np.array_equal(first, colours[..., channel]) for channel in range(1, colours.shape[2])):
        return first
    remarks.append("The mask was made of the luminance of a coloured picture.")
    weighted = colours @ luminance
    return weighted if colours.dtype == np.float32 else np.rint(weighted).astype(colours.dtype)


def write(picture: Picture, path: Path, quality: int = 95) -> None:
    """Write a picture, whole or not at all, as the suffix says: png, jpg, jpeg, tif, tiff or webp.

    16 bits stay in png and tif, floats in tif (16-bit png, clipped); else 8 bits are made. quality (1..100) is for jpg
    and webp. Profile, EXIF and resolution are written. Raises HarmonizeError `suffix_unknown`, `alpha_not_possible`,
    `picture_too_large` and what files.atomic raises.
    """
    path = Path(path)
    if path.suffix.lower() not in encoders:
        raise HarmonizeError(
            "suffix_unknown",
            f"{path.name} does not end in the suffix of a picture format.",
            f"Use one of {' '.join(encoders)}.",
        )
    with atomic(path) as file:
        write_file(picture, file, path.suffix[1:].lower(), quality)


def write_file(picture: Picture, file: IO[bytes], kind: str, quality: int = 95) -> None:
    """Write a picture as `write` does, to a file of a kind: png, jpg, jpeg, tif, tiff or webp.

    Raises HarmonizeError `kind_unknown`, `alpha_not_possible` or `picture_too_large`, and what writing to `file` raises.
    """
    encode = encoders.get(f".{kind}")
    if encode is None:
        known = " ".join(suffix[1:] for suffix in encoders)
        raise HarmonizeError("kind_unknown", f"There is no kind of picture called {kind!r}.", f"Use one of {known}.")
    encode(picture, file, quality)


def _png(picture: Picture, file: IO[bytes], quality: int) -> None:
    depth = np.uint8 if picture.pixels.dtype == np.uint8 else np.uint16
    png.encode(as_depth(picture.pixels, depth), file, picture.icc, picture.exif, picture.dpi)


def _tiff(picture: Picture, file: IO[bytes], quality: int) -> None:
    tiff.encode(picture.pixels, file, picture.icc, picture.exif, picture.dpi)


def _jpeg(picture: Picture, file: IO[bytes], quality: int) -> None:
    pixels = as_depth(picture.pixels, np.uint8)
    if pixels.shape[2] == 4 and pixels[..., 3].min() < 255:
        raise HarmonizeError(
            "alpha_not_possible", "The picture is partly transparent, which JPEG cannot hold.", "Write png instead."
        )
    subsampling = 0 if quality >= 90 else 2  # full colour resolution where quality is asked for
    _through_pillow("JPEG", 65500, pixels[..., :3], picture, file, quality=quality, subsampling=subsampling)


def _webp(picture: Picture, file: IO[bytes], quality: int) -> None:
    _through_pillow("WebP", 16383, as_depth(picture.pixels, np.uint8), picture, file, quality=quality, exact=True)


def _through_pillow(kind: str, longest: int, pixels: Pixels, picture: Picture, file: IO[bytes], **options: Any) -> None:
    if max(pixels.shape[:2]) > longest:
        raise HarmonizeError(
            "picture_too_large", f"{kind} holds at most {longest} pixels each way.", "Write png or tif instead."
        )
    carried = {"icc_profile": picture.icc, "dpi": picture.dpi, "exif": picture.exif and b"Exif\0\0" + picture.exif}
    buffer = io.BytesIO()  # Pillow's own writing hides why it failed, a full disk for one
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        buffer, kind, **options, **{name: value for name, value in carried.items() if value}
    )
    file.write(buffer.getbuffer())


encoders = {".png": _png, ".jpg": _jpeg, ".jpeg": _jpeg, ".tif": _tiff, ".tiff": _tiff, ".webp": _webp}
