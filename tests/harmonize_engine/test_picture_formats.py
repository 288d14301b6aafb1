"""Pictures that others wrote: every layout, depth and colour that is read, with all its bits."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from harmonize_engine.pictures import read
from tests.harmonize_engine.picture_files import artist, camera_exif, photo, png_of, refused, small, srgb, with_tags


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
