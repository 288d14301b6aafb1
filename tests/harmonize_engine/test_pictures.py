"""Pictures in files: what goes in comes out, and whatever is wrong is said in one sentence."""

import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.pictures import Picture, read, read_mask, write

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


# --- what goes in comes out ---


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(
    ("suffix", "depth"),
    [("png", np.uint8), ("png", np.uint16), ("tif", np.uint8), ("tiff", np.uint16), ("tif", np.float32)],
)
def test_lossless_formats_keep_every_sample_and_all_that_belongs_to_the_picture(tmp_path, suffix, depth, channels):
    path = tmp_path / f"picture.{suffix}"
    write(Picture(photo(depth, channels), icc=srgb, exif=kept_exif(), dpi=(300.0, 150.0)), path)
    again = read(path)
    assert again.pixels.dtype == depth
    np.testing.assert_array_equal(again.pixels, photo(depth, channels))
    assert again.icc == srgb
    assert again.exif == kept_exif()
    assert again.dpi == pytest.approx((300, 150), rel=1e-4)
    assert again.notes == ()


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "webp"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16, np.float32])
def test_lossy_formats_keep_8_bits_profile_and_exif(tmp_path, suffix, depth):
    path = tmp_path / f"picture.{suffix}"
    write(Picture(photo(depth), icc=srgb, exif=kept_exif(), dpi=(300.0, 300.0)), path)
    again = read(path)
    assert again.pixels.dtype == np.uint8
    assert np.abs(again.pixels / 255 - photo(np.float32)).mean() < 0.02
    assert again.icc == srgb
    assert again.exif == kept_exif()
    assert again.dpi == (None if suffix == "webp" else (300, 300))


def test_depth_is_rounded_to_nearest_where_the_format_cannot_hold_it(tmp_path):
    ramp = np.linspace(-0.5, 1.5, 3000, dtype=np.float32).reshape(10, 100, 3)
    write(Picture(ramp), tmp_path / "ramp.png")
    expected = np.rint(np.clip(ramp.astype(np.float64), 0, 1) * 65535)
    np.testing.assert_array_equal(read(tmp_path / "ramp.png").pixels, expected)
    levels = np.arange(65536, dtype=np.uint16).reshape(1, -1, 1).repeat(3, axis=2)[:, ::5]
    write(Picture(levels), tmp_path / "levels.webp", quality=100)
    assert np.abs(read(tmp_path / "levels.webp").pixels[0, :, 1] - levels[0, :, 1] / 257).mean() < 1.5


def test_floats_beyond_0_and_1_stay_in_tif(tmp_path):
    bright = photo(np.float32) * 9 - 2
    write(Picture(bright), tmp_path / "bright.tif")
    np.testing.assert_array_equal(read(tmp_path / "bright.tif").pixels, bright)


def test_pillow_and_tifffile_read_what_we_write(tmp_path):
    write(Picture(photo(np.uint8, 4)), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), photo(np.uint8, 4))
    tall = photo(np.uint16, 4, height=900, width=200)  # several strips
    write(Picture(tall), tmp_path / "a.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), tall)


def test_jpg_cannot_hold_alpha(tmp_path):
    pixels = photo(channels=4)
    pixels[..., 3] = 255
    write(Picture(pixels), tmp_path / "opaque.jpg")
    assert read(tmp_path / "opaque.jpg").pixels.shape == (21, 34, 3)
    pixels[3, 3, 3] = 254
    with pytest.raises(HarmonizeError) as refusal:
        write(Picture(pixels), tmp_path / "glass.jpg")
    assert refusal.value.code == "alpha_not_possible"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["opaque.jpg"]


def test_unknown_suffixes_and_too_long_sides_are_refused_before_anything_is_written(tmp_path):
    for name, code, pixels in (
        ("a.gif", "suffix_unknown", small),
        ("a", "suffix_unknown", small),
        ("a.webp", "picture_too_large", np.zeros((1, 16384, 3), np.uint8)),
        ("a.jpg", "picture_too_large", np.zeros((65501, 1, 3), np.uint8)),
    ):
        with pytest.raises(HarmonizeError) as refusal:
            write(Picture(pixels), tmp_path / name)
        assert refusal.value.code == code
    assert list(tmp_path.iterdir()) == []


# --- reading what others wrote ---


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "deep.tif", "float.tif"])
def test_orientation_is_applied_once(tmp_path, kind, orientation):
    upright = np.kron(np.array([[0, 255], [90, 180]]), np.ones((16, 24))).astype(np.uint8)[..., None].repeat(3, axis=2)
    undo = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    methods = [
        None,
        "FLIP_LEFT_RIGHT",
        "ROTATE_180",
        "FLIP_TOP_BOTTOM",
        "TRANSPOSE",
        "ROTATE_270",
        "TRANSVERSE",
        "ROTATE_90",
    ]
    stored = Image.fromarray(upright)
    if methods[undo - 1]:
        stored = stored.transpose(Image.Transpose[methods[undo - 1]])
    path = tmp_path / f"turned.{kind}"
    scale = {"deep.tif": 257, "float.tif": 1 / 255}.get(kind, 1)
    if kind in ("deep.tif", "float.tif"):
        depth = np.uint16 if kind == "deep.tif" else np.float32
        extra = [(274, "H", 1, orientation, True), (315, "s", 0, "Ada", True)]
        deep = (np.asarray(stored).astype(float) * scale).astype(depth)
        tifffile.imwrite(path, deep, photometric="rgb", extratags=extra, metadata=None, software=False)
    else:
        stored.save(path, exif=camera_exif(orientation).tobytes(), **({"lossless": True} if kind == "webp" else {}))
    picture = read(path)
    assert np.abs(picture.pixels / scale - upright).max() <= (2 if kind == "jpg" else 1e-4)
    tags = Image.Exif()
    tags.load(picture.exif)
    assert tags[artist] == "Ada"
    assert 0x0112 not in tags


@pytest.mark.parametrize(
    ("mode", "shape", "note"),
    [
        ("L", 3, "The greyscale picture was converted to RGB."),
        ("LA", 4, "The greyscale picture was converted to RGB."),
        ("1", 3, "The greyscale picture was converted to RGB."),
        ("P", 3, "The palette picture was converted to RGB."),
    ],
)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_other_colours_become_rgb_and_it_is_said(tmp_path, mode, shape, note, suffix):
    image = Image.fromarray(photo(channels=4)).convert("RGB" if mode == "P" else mode).convert(mode)
    image.save(tmp_path / f"a.{suffix}")
    picture = read(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGBA" if shape == 4 else "RGB")))
    assert picture.notes == (note,)


def test_transparency_of_palettes_and_keys_is_kept(tmp_path):
    image = Image.fromarray(small).quantize(8)
    image.save(tmp_path / "palette.png", transparency=3)
    expected = np.where(np.asarray(image) == 3, 0, 255)
    np.testing.assert_array_equal(read(tmp_path / "palette.png").pixels[..., 3], expected)
    Image.fromarray(small).save(tmp_path / "key.png", transparency=tuple(small[2, 2].tolist()))
    assert np.argwhere(read(tmp_path / "key.png").pixels[..., 3] == 0).tolist() == [[2, 2]]


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


def test_16_bit_greys_and_colour_keys_of_png_are_exact(tmp_path):
    path = tmp_path / "a.png"
    deep = photo(np.uint16, 4)
    path.write_bytes(png_of(deep[..., 0], 0))
    np.testing.assert_array_equal(read(path).pixels, deep[..., [0, 0, 0]])
    path.write_bytes(png_of(deep[..., :2], 4))
    np.testing.assert_array_equal(read(path).pixels, deep[..., [0, 0, 0, 1]])
    path.write_bytes(png_of(deep[..., :3], 2, (b"tRNS", deep[4, 5, :3].astype(">u2").tobytes())))
    assert np.argwhere(read(path).pixels[..., 3] == 0).tolist() == [[4, 5]]
    path.write_bytes(png_of(deep[..., 0], 0, (b"tRNS", deep[4, 5, :1].astype(">u2").tobytes())))
    np.testing.assert_array_equal(read(path).pixels[..., 3] == 0, deep[..., 0] == deep[4, 5, 0])


def filtered_png(samples: np.ndarray) -> bytes:
    """A 16-bit RGB PNG that uses the five filters in turn, encoded byte by byte after the PNG specification."""
    height = len(samples)
    rows = samples.reshape(height, -1).astype(">u2").view(np.uint8).astype(int)
    raw = b""
    for y in range(height):
        line = []
        for x, value in enumerate(rows[y]):
            left = rows[y, x - 6] if x >= 6 else 0
            above = rows[y - 1, x] if y else 0
            corner = rows[y - 1, x - 6] if y and x >= 6 else 0
            guess = left + above - corner
            paeth = min((left, above, corner), key=lambda candidate: abs(guess - candidate))
            line.append((value - (0, left, above, (left + above) // 2, paeth)[y % 5]) % 256)
        raw += bytes([y % 5, *line])
    plain = png_of(samples, 2)
    return plain[:33] + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in ((b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    )


def test_all_filters_of_16_bit_png_are_undone(tmp_path):
    deep = photo(np.uint16)
    (tmp_path / "a.png").write_bytes(filtered_png(deep))
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, deep)


def test_interlaced_16_bit_png_is_read(tmp_path):
    deep = photo(np.uint16, height=9, width=10)
    plain = png_of(deep, 2)
    raw = b""
    for top, left, down, right in (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):
        raw += b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep[top::down, left::right])
    header = plain[16:28] + b"\1"
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    (tmp_path / "a.png").write_bytes(
        plain[:8] + b"".join(struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks)
    )
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, deep)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16, np.float32, np.float64])
def test_tif_of_every_layout(tmp_path, order, compression, planar, depth):
    pixels = photo(np.float32 if depth == np.float64 else depth).astype(depth)
    stored = np.moveaxis(pixels, -1, 0) if planar == "separate" else pixels
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar, compression=compression, byteorder=order,
        metadata=None, resolution=(300, 300), resolutionunit="INCH", iccprofile=srgb,
    )  # fmt: skip
    picture = read(tmp_path / "a.tif")
    assert picture.pixels.dtype == (np.float32 if depth == np.float64 else depth)
    np.testing.assert_array_equal(picture.pixels, pixels.astype(picture.pixels.dtype))
    assert picture.icc == srgb
    assert picture.dpi == (300, 300)


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("extrasamples", ["unassalpha", "assocalpha"])
def test_premultiplied_alpha_of_tif_is_divided_out(tmp_path, tile, extrasamples):
    pixels = photo(np.uint16, 4)
    pixels[..., 3] = 65535 // 4
    stored = pixels.copy()
    if extrasamples == "assocalpha":
        stored[..., :3] //= 4
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=[extrasamples], tile=tile)
    assert np.abs(read(tmp_path / "a.tif").pixels.astype(int) - pixels).max() <= (4 if extrasamples == "assocalpha" else 0)


def test_lzw_tif_of_16_bits_is_read_and_of_floats_refused(tmp_path):
    deep = photo(np.uint16)
    path = tmp_path / "a.tif"
    # Pillow writes LZW of 8 bits only: store the bytes of 16-bit rows as a wider grey picture, then name them 16-bit RGB.
    Image.fromarray(deep.astype("<u2").view(np.uint8).reshape(21, -1)).save(path, compression="tiff_lzw")
    for bits, code in ((16, None), (32, "compression_unsupported")):
        width = 34 if bits == 16 else 17
        path.write_bytes(
            with_tags(path.read_bytes(), {256: width, 258: [bits] * 3, 262: 2, 277: 3, 339: [1 if bits == 16 else 3] * 3})
        )
        if code is None:
            np.testing.assert_array_equal(read(path).pixels, deep)
        else:
            refused(code, path)


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


def test_white_is_zero_and_deep_grey_tif(tmp_path):
    grey = photo(np.uint16, 1)[..., 0]
    for photometric, expected in (("minisblack", grey), ("miniswhite", 65535 - grey)):
        tifffile.imwrite(tmp_path / "a.tif", grey, photometric=photometric)
        np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels[..., 1], expected)


def test_only_the_first_of_several_pictures_is_read(tmp_path):
    first, second = Image.fromarray(small), Image.fromarray(255 - small)
    for suffix in ("png", "webp", "tif"):
        options = {"lossless": True} if suffix == "webp" else {}
        first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[second], **options)
        picture = read(tmp_path / f"a.{suffix}")
        np.testing.assert_array_equal(picture.pixels[..., :3], small)
        assert picture.notes == ("Only the first of several pictures in the file was read.",)


def test_cmyk_needs_its_profile(tmp_path):
    image = Image.fromarray(small).convert("CMYK")
    for suffix in ("jpg", "tif"):
        image.save(tmp_path / f"a.{suffix}")
        refused("cmyk_without_profile", tmp_path / f"a.{suffix}")
        image.save(tmp_path / f"a.{suffix}", icc_profile=srgb)  # a profile, but for other colours
        refused("cmyk_without_profile", tmp_path / f"a.{suffix}")


def test_unusable_profiles_are_left_out(tmp_path):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    Image.fromarray(small).save(tmp_path / "a.png", icc_profile=lab)
    picture = read(tmp_path / "a.png")
    assert picture.icc is None
    assert picture.notes == ("A colour profile that is not for RGB was left out.",)


def test_bmp_is_read(tmp_path):
    Image.fromarray(small).save(tmp_path / "a.bmp")
    np.testing.assert_array_equal(read(tmp_path / "a.bmp").pixels, small)


# --- masks ---


def test_masks_are_grey_luminance_or_alpha(tmp_path):
    path, notes = tmp_path / "mask.png", []
    matte = photo(channels=1)[..., 0]

    Image.fromarray(matte).save(path)
    np.testing.assert_array_equal(read_mask(path, notes=notes), matte)
    Image.fromarray(np.stack([matte] * 3, axis=-1)).save(path)
    np.testing.assert_array_equal(read_mask(path, notes=notes), matte)
    write(Picture(np.stack([matte.astype(np.uint16) * 257] * 3, axis=-1)), path)
    np.testing.assert_array_equal(read_mask(path, notes=notes), matte.astype(np.uint16) * 257)
    assert notes == []

    Image.fromarray(np.full((21, 34, 3), (255, 0, 0), np.uint8)).save(path)
    assert (read_mask(path, notes=notes) == round(0.2126 * 255)).all()
    assert notes == ["The mask was made of the luminance of a coloured picture."]

    painted = np.zeros((21, 34, 4), np.uint8)  # white strokes on nothing; editors leave black where nothing is
    painted[..., 3] = matte
    painted[5:, 5:, 3] = 0
    painted[painted[..., 3] > 0, :3] = 255
    Image.fromarray(painted).save(path)
    notes.clear()
    np.testing.assert_array_equal(read_mask(path, notes=notes), painted[..., 3])
    assert notes == ["The mask was taken from the picture's alpha."]

    both = np.dstack([matte, matte, matte, np.full_like(matte, 51)])
    Image.fromarray(both).save(path)
    notes.clear()
    np.testing.assert_array_equal(read_mask(path, notes=notes), np.rint(matte * np.float32(0.2)))
    assert notes == ["Transparent parts of the mask count as black."]


def test_float_masks_stay_float(tmp_path):
    matte = photo(np.float32, 1)[..., 0]
    tifffile.imwrite(tmp_path / "mask.tif", matte)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.tif"), matte)


# --- what is wrong is said ---


def test_missing_and_unreadable_files(tmp_path, monkeypatch):
    refused("file_missing", tmp_path / "nothing.png")
    refused("file_unreadable", tmp_path)
    refused("file_unreadable", tmp_path / "nul\0.png")
    (tmp_path / "secret.png").write_bytes(b"x")

    def denied(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)  # root may read everything
    assert "Permission denied" in refused("file_unreadable", tmp_path / "secret.png").message


@pytest.mark.parametrize("content", [b"GIF89a" + bytes(40), b"%PDF-1.7", b"hello", bytes(100)])
def test_unknown_formats_list_the_known_ones(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    assert "PNG, JPEG, TIFF, WebP" in refused("format_unknown", tmp_path / "a.png").hint


def test_empty_files_and_pictures(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    refused("picture_empty", tmp_path / "a.png")
    tif = with_tags(files()["tif"], {256: 0})
    (tmp_path / "a.tif").write_bytes(tif)
    refused("picture_empty", tmp_path / "a.tif")


def test_the_limit_is_checked_before_decoding_and_can_be_raised(tmp_path):
    bomb = png_of(np.zeros((1, 1, 3)), 2)
    header = struct.pack(">II", 30000, 20000) + bomb[24:29]
    (tmp_path / "bomb.png").write_bytes(bomb[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + bomb[33:])
    assert "30000x20000" in refused("picture_too_large", tmp_path / "bomb.png").message
    refused("file_broken", tmp_path / "bomb.png", limit_megapixels=600)
    for suffix, content in files().items():
        (tmp_path / f"a.{suffix}").write_bytes(content)
        assert "1e-05 megapixels" in refused("picture_too_large", tmp_path / f"a.{suffix}", limit_megapixels=1e-5).message


def test_pictures_beyond_pillows_own_limit_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for suffix, content in files().items():
        (tmp_path / f"a.{suffix}").write_bytes(content)
        read(tmp_path / f"a.{suffix}")
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_floats_that_are_no_numbers(tmp_path, value):
    pixels = photo(np.float32)
    pixels[3, 4, 1] = value
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    refused("not_finite", tmp_path / "a.tif")


def test_colours_that_are_not_read_say_so(tmp_path):
    lab = Image.new("LAB", (4, 4))
    lab.save(tmp_path / "a.tif")
    refused("color_unsupported", tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4, 3), np.uint32), photometric="rgb")
    refused("color_unsupported", tmp_path / "a.tif")


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
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{suffix}"
        pixels = photo(depth, 3)[:9, :12]
        write(Picture(pixels, icc=srgb[:600], exif=kept_exif(), dpi=(72.0, 72.0)), path)
        return path.read_bytes()


valid = files()
broken = st.one_of(
    st.builds(lambda head, noise: valid[head][:16] + noise, st.sampled_from(sorted(valid)), st.binary(max_size=400)),
    st.builds(
        lambda kind, share: valid[kind][: int(len(valid[kind]) * share)], st.sampled_from(sorted(valid)), st.floats(0, 1)
    ),
    st.builds(
        lambda kind, flips: flipped(valid[kind], flips),
        st.sampled_from(sorted(valid)),
        st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=6),
    ),
    st.binary(max_size=200),
)


def flipped(content: bytes, flips: list[tuple[float, int]]) -> bytes:
    changed = bytearray(content)
    for place, bits in flips:
        changed[int(place**3 * len(changed))] ^= bits  # headers more often than pixels
    return bytes(changed)


@given(content=broken)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_picture_or_one_sentence(tmp_path, content):
    path = tmp_path / "any"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            picture = read(path, limit_megapixels=1)
        except HarmonizeError as refusal:
            assert refusal.code
            assert refusal.message.endswith(".")
        else:
            assert picture.pixels.ndim == 3
            assert picture.pixels.shape[2] in (3, 4)
            assert picture.pixels.dtype in (np.uint8, np.uint16, np.float32)


@pytest.mark.parametrize("suffix", sorted(valid))
def test_every_cut_off_file_is_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    for share in (0.3, 0.6, 0.8):
        path.write_bytes(valid[suffix][: int(len(valid[suffix]) * share)])
        refused("file_broken", path)


def test_damaged_exif_is_left_out(tmp_path):
    picture = Picture(small, exif=kept_exif())
    write(picture, tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    at = content.index(b"eXIf") + 4
    damaged = b"II*\0\xff\xff\xff\xff" + content[at + 8 : at + len(kept_exif())]
    crc = struct.pack(">I", zlib.crc32(b"eXIf" + damaged))
    (tmp_path / "a.png").write_bytes(content[:at] + damaged + crc + content[at + len(damaged) + 4 :])
    again = read(tmp_path / "a.png")
    np.testing.assert_array_equal(again.pixels, small)
    assert again.exif is None


def test_reading_leaves_no_open_files(tmp_path):
    before = set(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else set()
    for suffix, content in valid.items():
        (tmp_path / f"a.{suffix}").write_bytes(content)
        read(tmp_path / f"a.{suffix}")
    after = set(os.listdir("/proc/self/fd")) if before else set()
    assert len(after) == len(before)
