"""Whatever is wrong with the input: one sentence, a stable code, status 2, nothing written, nothing left behind."""

import errno
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harmonize_engine.cli.main import main
from tests.harmonize_engine.cli.conftest import Desk, scene


def test_missing_files(desk: Desk) -> None:
    for name in ("composite.png", "mask.png"):
        content = (desk / name).read_bytes()
        (desk / name).unlink()
        assert name in desk.apply_refused("file_missing")
        (desk / name).write_bytes(content)
    desk.apply_refused("file_missing", "--background", desk / "none.png")


def test_a_folder_or_a_forbidden_file_instead_of_a_picture(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.apply_refused("file_unreadable", "--background", desk.folder)
    opened = Path.open

    def forbidden(path: Path, *rest: object, **more: object):
        if path.name == "mask.png" and rest[:1] == ("rb",):
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *rest, **more)

    (desk / "mask.png").touch()
    before = desk.listing()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", forbidden)
        ran = desk.apply("-o", desk / "out.png")
    assert ran.status == 2 and "[file_unreadable]" in ran.err and ran.err.count("\n") == 1
    assert desk.listing() == before


def test_wrong_format_empty_and_truncated_files(desk: Desk) -> None:
    whole = (desk / "composite.png").read_bytes()
    (desk / "composite.png").write_text("This is no picture.")
    desk.apply_refused("format_unknown")
    (desk / "composite.png").write_bytes(b"")
    desk.apply_refused("picture_empty")
    (desk / "composite.png").write_bytes(whole[: len(whole) // 2])
    desk.apply_refused("file_broken")
    Image.fromarray(scene()[0]).save(desk / "composite.png", "JPEG")
    jpeg = (desk / "composite.png").read_bytes()
    (desk / "composite.png").write_bytes(jpeg[: len(jpeg) // 2])
    desk.apply_refused("file_broken")


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims this size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def test_a_decompression_bomb_is_refused_by_its_header_and_the_limit_is_named(desk: Desk) -> None:
    (desk / "composite.png").write_bytes(png_of(60000, 60000))
    told = desk.apply_refused("picture_too_large")
    assert "60000x60000" in told and "400 megapixels" in told and "--max-megapixels" in told
    (desk / "mask.png").write_bytes(png_of(60000, 60000))
    desk.write("composite.png", scene()[0])
    desk.apply_refused("picture_too_large")


def test_the_limit_can_be_moved(desk: Desk) -> None:
    desk.apply_refused("picture_too_large", "--max-megapixels", "0.003")
    assert desk.apply("--max-megapixels", "0.004", "-o", desk / "out.png").status == 0
    desk.apply_refused("bad_limit", "--max-megapixels", "0")
    desk.apply_refused("bad_limit", "--max-megapixels", "nan")


def test_a_mask_of_another_size_offers_to_fit_it(desk: Desk) -> None:
    desk.write("mask.png", scene()[1][:-1])
    assert "--fit-mask" in desk.apply_refused("mask_size")
    desk.write("small.png", scene()[1][:-1])
    desk.write("mask.png", scene()[1])
    assert "--fit-mask" in desk.apply_refused("reference_size", "--reference", desk / "small.png")
    desk.apply_refused("background_size", "--background", desk / "small.png")


@pytest.mark.parametrize("model", ["statistics", "parametric"])
def test_masks_that_mark_nothing_or_everything(desk: Desk, model: str) -> None:
    mask = np.zeros((48, 64), np.uint8)
    desk.write("mask.png", mask)
    desk.apply_refused("mask_empty", "--model", model)
    mask[20, 20] = 255
    desk.write("mask.png", mask)
    desk.apply_refused("mask_tiny", "--model", model)
    mask[:] = 255
    desk.write("mask.png", mask)
    desk.apply_refused("mask_full", "--model", model)


def test_a_mask_at_all_borders(desk: Desk) -> None:
    desk.write("mask.png", 255 - scene()[1])
    told = desk.apply_refused("mask_touches_borders")
    assert "looks inverted" in told and "fills the frame" not in told
    assert "--invert-mask" in told and "--allow-border" in told
    cross = np.zeros((48, 64), np.uint8)
    cross[:, 30:34] = cross[20:24] = 255
    desk.write("mask.png", cross)
    assert "foreground fills the frame" in desk.apply_refused("mask_touches_borders")
    cross[-1] = 0
    desk.write("mask.png", cross)
    assert desk.apply("-o", desk / "out.png").status == 0


def test_pictures_too_small_or_too_narrow(desk: Desk) -> None:
    for width, height, code in ((1, 1, "picture_too_small"), (30000, 100, "picture_too_narrow")):
        mask = np.zeros((height, width), np.uint8)
        mask[: height // 2 + 1, : width // 2 + 1] = 255
        desk.write("composite.png", np.full((height, width, 3), 90, np.uint8))
        desk.write("mask.png", mask)
        assert f"{width}x{height}" in desk.apply_refused(code)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_numbers(desk: Desk, value: float) -> None:
    composite, mask = scene(np.float32)
    composite[3, 4, 1] = value
    desk.write("wild.tif", composite)
    desk.refused("not_finite", "apply", desk / "wild.tif", "--mask", desk / "mask.png", "-o", desk / "out.tif")
    desk.write("wild.tif", np.where(mask > 0, np.float32(value), mask))
    desk.apply_refused("not_finite", "--mask", desk / "wild.tif")


def test_cmyk_without_a_profile_and_rare_kinds(desk: Desk) -> None:
    Image.fromarray(scene()[0]).convert("CMYK").save(desk / "composite.png", "JPEG")
    desk.apply_refused("cmyk_without_profile")


def test_a_transparent_picture_does_not_go_into_jpeg_and_then_nothing_is_written(desk: Desk) -> None:
    alpha = np.full((48, 64), 100, np.uint8)
    desk.write("composite.png", np.dstack([scene()[0], alpha]))
    desk.apply_refused("alpha_not_possible", "-o", desk / "out.kra", desk / "out.jpg", desk / "out.tif")


def test_places_that_cannot_be_written_to(desk: Desk) -> None:
    desk.apply_refused("folder_missing", "-o", desk / "none" / "out.png")
    desk.apply_refused("folder_missing", "--report", desk / "none" / "report.html")
    (desk / "folder.png").mkdir()
    desk.apply_refused("output_is_folder", "-o", desk / "folder.png")
    desk.apply_refused("suffix_unknown", "-o", desk / "out.psd")
    desk.apply_refused("suffix_unknown", "-o", desk / "out")
    desk.apply_refused("report_kind", "--report", desk / "report.pdf")
    desk.apply_refused("output_twice", "-o", desk / "out.png")
    desk.apply_refused("would_overwrite_input", "-o", desk / "mask.png")
    (desk / "other name.png").hardlink_to(desk / "composite.png")
    desk.apply_refused("would_overwrite_input", "-o", desk / "other name.png")
    plate = desk / "background.png"
    desk.apply_refused("would_overwrite_input", "--background", plate, "--report", plate)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EACCES, "folder_read_only"),
        (errno.EROFS, "folder_read_only"),
        (errno.ENOSPC, "disk_full"),
        (errno.EIO, "not_written"),
    ],
)
@pytest.mark.parametrize("where", ["mkdir", "fsync", "replace"])
def test_a_folder_or_disk_that_refuses(
    desk: Desk, number: int, code: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    (desk / "out.png").write_bytes(b"the result of yesterday")
    monkeypatch.setattr(os, where, refuse)
    desk.apply_refused(code, "-o", desk / "out.kra", "--report", desk / "report.html")


def test_a_disk_that_fills_up_at_the_second_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    fsync = os.fsync

    def full(number: int) -> None:
        synced.append(number)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(number)

    monkeypatch.setattr(os, "fsync", full)
    desk.apply_refused("disk_full", "-o", desk / "out.kra", desk / "out.tif")
    assert len(synced) == 2


def test_unknown_models_and_absurd_numbers(desk: Desk) -> None:
    assert "parametric" in desk.apply_refused("model_unknown", "--model", "magic")
    desk.apply_refused("bad_strength", "--color-strength", "1.5")
    desk.apply_refused("bad_strength", "--light-strength", "nan")
    desk.apply_refused("bad_quality", "--quality", "0")
    desk.apply_refused("usage", "--quality", "high")
    desk.apply_refused("usage", "--no-such-option")


def test_words_that_make_no_command(desk: Desk) -> None:
    desk.refused("usage")
    desk.refused("usage", "beautify")
    desk.refused("usage", "apply")
    desk.refused("usage", "apply", desk / "composite.png", "-o", desk / "out.png")
    desk.refused("usage", "apply", desk / "composite.png", "--mask", desk / "mask.png")
    desk.apply_refused("usage", "--format", "png")


def test_weights_missing_or_changed(desk: Desk, weights: Path) -> None:
    network = weights / "parametric.onnx"
    content = bytearray(network.read_bytes())
    content[1000] ^= 1
    network.write_bytes(content)
    desk.apply_refused("weights_changed", "--model", "parametric")
    network.unlink()
    desk.apply_refused("weights_missing", "--model", "parametric")
    (weights / "parametric.json").unlink()
    desk.apply_refused("weights_missing", "--model", "parametric")
    desk.refused("weights_missing", "models")


def test_too_little_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("harmonize_engine.cli.outcome.rendered", greedy)
    desk.apply_refused("out_of_memory")


def test_a_defect_is_told_in_a_line_and_its_traceback_goes_into_a_file(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = tmp_path_factory.mktemp("logs")
    monkeypatch.setattr("tempfile.tempdir", str(logs))

    def broken(*_: object) -> None:
        raise ZeroDivisionError("our own mistake")

    monkeypatch.setattr("harmonize_engine.cli.outcome.rendered", broken)
    before = desk.listing()
    ran = desk.apply("-o", desk / "out.png")
    assert ran.status == 1
    assert ran.err.startswith("harmonize: error [internal]: ") and ran.err.count("\n") == 1
    (log,) = logs.iterdir()
    assert str(log) in ran.err and "our own mistake" in log.read_text()
    assert desk.listing() == before


def test_ctrl_c(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harmonize_engine.files.kinds.write", interrupted)
    before = desk.listing()
    ran = desk.apply("-o", desk / "out.png")
    assert ran.status == 130 and ran.err == "harmonize: error [stopped]: Stopped; no file was left half-written.\n"
    assert desk.listing() == before


def test_help_and_version_leave_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--version"], ["--help"], ["apply", "--help"]):
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 0
    assert "--allow-border" in capsys.readouterr().out
