"""A file is there whole or not at all."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harmonize_engine import pictures
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files.atomic import atomic


def refused(path: Path, content: bytes = b"new") -> str:
    with pytest.raises(HarmonizeError) as refusal, atomic(path) as file:
        file.write(content)
    assert refusal.value.message.endswith(".")
    return refusal.value.code


def test_a_new_file_has_usual_rights_and_leaves_nothing_beside_it(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic(tmp_path / "a.kra") as file:
            file.write(b"new")
            assert not (tmp_path / "a.kra").exists()
    finally:
        os.umask(before)
    assert (tmp_path / "a.kra").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.kra"]
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "a.kra").stat().st_mode) == 0o640


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, HarmonizeError("x", "y")])
def test_a_failure_keeps_the_old_file_and_removes_the_new_one(tmp_path, failure):
    (tmp_path / "a.kra").write_bytes(b"old")
    with pytest.raises(failure if isinstance(failure, type) else type(failure)), atomic(tmp_path / "a.kra") as file:
        file.write(b"half")
        raise failure
    assert (tmp_path / "a.kra").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.kra"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("real.png")
    with atomic(tmp_path / "link.png") as file:
        file.write(b"new")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").read_bytes() == b"new"


def test_long_names_fit(tmp_path):
    path = tmp_path / ("n" * 251 + ".png")
    with atomic(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_places_that_cannot_be_written(tmp_path, monkeypatch):
    assert refused(tmp_path / "nowhere" / "a.png") == "folder_missing"
    (tmp_path / "file").write_bytes(b"")
    assert refused(tmp_path / "file" / "a.png") == "folder_missing"
    (tmp_path / "folder.png").mkdir()
    assert refused(tmp_path / "folder.png") == "not_written"

    def denied(*_args: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)  # root may write everywhere
    assert refused(tmp_path / "a.png") == "folder_read_only"


def test_a_full_disk(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert refused(tmp_path / "a.png") == "disk_full"
    assert (tmp_path / "a.png").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 64 kB where this user may mount one; elsewhere the test above has to do."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    mounted = sys.platform == "linux" and os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    yield folder if mounted else None
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp"])
def test_pictures_on_a_full_disk(tiny_disk, suffix):
    if tiny_disk is None:
        return
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    with pytest.raises(HarmonizeError) as refusal:
        pictures.write(pictures.Picture(noise), tiny_disk / f"a.{suffix}", quality=100)
    assert refusal.value.code == "disk_full"
    assert list(tiny_disk.iterdir()) == []
