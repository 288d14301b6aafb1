"""Pictures in files: what goes in comes out."""

import io
import tempfile

import numpy as np
import pytest
import tifffile
from PIL import Image

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.pictures import Picture, read, read_file, read_mask, read_mask_file, write, write_file
from tests.harmonize_engine.picture_files import files, kept_exif, photo, small, srgb


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


@pytest.mark.parametrize("hold", [io.BytesIO, tempfile.SpooledTemporaryFile, tempfile.TemporaryFile])
@pytest.mark.parametrize("kind", files())
def test_a_picture_needs_no_path(tmp_path, hold, kind):
    """As the server gets it: in memory or in a file without a name; both stay open, wherever they stand."""
    path = tmp_path / f"a.{kind}"
    path.write_bytes(files()[kind])
    with hold() as file:
        file.write(files()[kind])
        picture, same = read_file(file, "upload"), read(path)
        np.testing.assert_array_equal(picture.pixels, same.pixels)
        assert (picture.icc, picture.exif, picture.dpi, picture.notes) == (same.icc, same.exif, same.dpi, same.notes)
        notes, same_notes = [], []
        np.testing.assert_array_equal(read_mask_file(file, "upload", notes=notes), read_mask(path, notes=same_notes))
        assert notes == same_notes
        file.seek(0)
        assert file.read() == files()[kind]


@pytest.mark.parametrize("reading", [read_file, read_mask_file])
@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "picture_empty"), (b"GIF89a", "format_unknown"), (files()["png"][:200], "file_broken")],
)
def test_errors_call_a_file_what_the_caller_calls_it(reading, content, code):
    with pytest.raises(HarmonizeError, match=r"^the mask") as refusal:
        reading(io.BytesIO(content), "the mask")
    assert refusal.value.code == code


@pytest.mark.parametrize("kind", ["png", "jpg", "jpeg", "tif", "tiff", "webp"])
def test_a_picture_is_written_to_a_file_as_to_a_path(tmp_path, kind):
    file = io.BytesIO()
    picture = Picture(photo(np.uint16), srgb, kept_exif(), (300.0, 300.0))
    write_file(picture, file, kind, quality=70)
    write(picture, tmp_path / f"a.{kind}", quality=70)
    assert file.getvalue() == (tmp_path / f"a.{kind}").read_bytes()


def test_other_kinds_are_refused():
    for kind in ("gif", "", ".png", "PNG", "../a.png"):
        with pytest.raises(HarmonizeError) as refusal:
            write_file(Picture(small), io.BytesIO(), kind)
        assert refusal.value.code == "kind_unknown"
        assert refusal.value.hint == "Use one of png jpg jpeg tif tiff webp."


@pytest.mark.parametrize("reading", [read_file, read_mask_file])
def test_the_limit_holds_before_decoding_without_a_path(reading):
    with pytest.raises(HarmonizeError) as refusal:
        reading(io.BytesIO(files()["png"]), "upload", 0.0001)
    assert refusal.value.code == "picture_too_large"
