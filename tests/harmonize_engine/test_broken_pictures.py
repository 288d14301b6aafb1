"""Whatever is wrong with a picture file is said in one sentence."""

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
from PIL import Image

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.pictures import Picture, read, write
from tests.harmonize_engine.picture_files import files, kept_exif, photo, png_of, refused, small, with_tags


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
