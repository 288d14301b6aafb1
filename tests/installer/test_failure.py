"""What a system has against a file, each in a sentence that names the file and says what to do."""

import errno
import os
from pathlib import Path

import pytest

from installer import failure
from installer.failure import InstallError, explained, explaining, patiently
from installer.writing import remove_tree, unfinished, write

path = Path("some/file")


def refused(code: int) -> PermissionError:
    """An error as Windows raises it."""
    error = PermissionError(errno.EACCES, "Access is denied", str(path))
    error.winerror = code  # pyright: ignore[reportAttributeAccessIssue]
    return error


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure, "pauses", (0.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk_full"),
        (OSError(errno.EROFS, "Read-only file system"), "read_only"),
        (PermissionError(errno.EACCES, "Permission denied"), "not_allowed"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), "path_too_long"),
        (OSError(errno.EIO, "Input/output error"), "system"),
        (refused(5), "file_locked"),
        (refused(32), "file_locked"),
    ],
)
def test_every_error_has_its_sentence(error: OSError, code: str) -> None:
    told = explained(error, path)
    assert told.code == code
    assert str(path) in told.message and told.message.endswith(".") and told.hint.endswith(".")


def test_the_file_that_the_system_names_is_told() -> None:
    with pytest.raises(InstallError) as refusal, explaining(path):
        Path("/nowhere/at/all").read_bytes()
    assert "/nowhere/at/all" in refusal.value.message


def test_a_file_that_a_virus_scanner_holds_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = iter([refused(32), refused(5)])
    real = os.replace

    def replaced(source: Path, target: Path) -> None:
        for error in errors:
            raise error
        real(source, target)

    monkeypatch.setattr("os.replace", replaced)
    write(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_file_that_stays_locked_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"before")

    def replaced(source: Path, target: Path) -> None:
        raise refused(32)

    monkeypatch.setattr("os.replace", replaced)
    with pytest.raises(InstallError) as refusal:
        write(tmp_path / "file", b"content")
    assert refusal.value.code == "file_locked" and "virus scanner" in refusal.value.hint
    assert (tmp_path / "file").read_bytes() == b"before"
    assert not unfinished(tmp_path / "file").exists()


def test_what_is_not_allowed_at_all_is_not_tried_again() -> None:
    tries = list[int]()

    def act() -> None:
        tries.append(1)
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(PermissionError):
        patiently(act)
    assert tries == [1]


def test_a_folder_goes_with_what_is_write_protected_in_it(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "inner" / "file").write_text("content")
    (tmp_path / "folder" / "inner").chmod(0o500)
    remove_tree(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    remove_tree(tmp_path / "folder")


def test_a_link_to_a_folder_goes_and_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    remove_tree(tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]
