import base64
import logging
import os
import stat
from pathlib import Path

import platformdirs
import pytest

from model_server import logs
from model_server.logs import Log

token = "Zk3-token_of_this_server"
posix = pytest.mark.skipif(os.name == "nt", reason="mode bits, links and /dev/full are POSIX")


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HARMONIZE_LOG_DIR", str(tmp_path / "logs"))
    return logs.path()


@pytest.fixture
def log(path):
    written = Log(path, token)
    yield written
    written.close()


def tell(log: Log, message: str, *values: object, error: BaseException | None = None) -> None:
    record = logging.LogRecord("harmonize.server", logging.INFO, __file__, 1, message, values, None)
    record.exc_info = (type(error), error, error.__traceback__) if error else None
    log.handle(record)


def test_the_log_lies_where_logs_lie(monkeypatch, tmp_path):
    monkeypatch.delenv("HARMONIZE_LOG_DIR", raising=False)
    monkeypatch.setattr(platformdirs, "user_log_path", lambda name, appauthor: tmp_path / name)
    assert logs.path() == tmp_path / "harmonize" / "server.log"


def test_a_record_is_a_line_with_its_time(log, path):
    tell(log, "%s is %d", "blue", 7)
    assert path.read_text().endswith("Z INFO harmonize.server: blue is 7\n")
    assert log.problem is None


@posix
def test_nobody_else_can_read_it(log, path):
    path.parent.mkdir()
    path.write_text("of an older version\n")
    path.chmod(0o644)
    before = os.umask(0)
    try:
        tell(log, "one")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.unlink()
        tell(log, "two")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_three_files_of_the_size_agreed_hold_the_latest(path):
    log = Log(path, token, most=1000)
    for number in range(100):
        tell(log, "record %04d", number)
    log.close()
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["server.log", "server.log.1", "server.log.2"]
    assert all(file.stat().st_size <= 1000 for file in files)
    assert path.read_text().endswith("record 0099\n")
    assert logs.megabyte == Log(path, token).maxBytes


def test_the_token_is_never_written(log, path):
    tell(log, "Authorization: Bearer %s", token)
    tell(log, "failed", error=ValueError(f"with {token}"))
    assert token not in path.read_text()
    assert "Bearer [token]" in path.read_text()


def test_pictures_are_never_written(log, path):
    picture = base64.b64encode(os.urandom(3000)).decode()
    tell(log, "composite: %s.", picture)
    tell(log, "pixels: %s.", list(os.urandom(3000)))
    tell(log, "failed", error=ValueError(picture))
    content = path.read_text()
    assert picture[:50] not in content and picture[-50:] not in content
    assert "composite: [...]." in content
    assert max(map(len, content.split("\n"))) < 1.1 * logs.longest_line


def test_a_stranger_can_neither_forge_a_line_nor_command_a_terminal(log, path):
    tell(log, "GET %s", "/v1\n2026-01-01 INFO all is well\r\x1b[2J\u2028\udcff")
    content = path.read_bytes().decode()
    assert len(content.splitlines()) == 1
    assert r"/v1\n2026" in content and "\x1b" not in content


def test_a_traceback_keeps_its_lines(log, path):
    try:
        raise RuntimeError("odd")
    except RuntimeError as error:
        tell(log, "A request failed.", error=error)
    assert "Traceback" in path.read_text() and path.read_text().endswith("\nRuntimeError: odd\n")


@posix
def test_a_full_disk_is_told_and_ends_nothing(log, path):
    path.parent.mkdir()
    path.symlink_to("/dev/full")
    descriptors = len(os.listdir("/dev/fd"))
    for _ in range(50):
        tell(log, "work goes on")
    assert log.problem == f"The log {path} cannot be written: No space left on device."
    assert len(os.listdir("/dev/fd")) == descriptors
    path.unlink()
    tell(log, "there is space again")
    assert log.problem is None
    assert "space again" in path.read_text()


def test_a_folder_that_cannot_be_written_is_told_and_ends_nothing(log, path):
    path.parent.write_text("no folder")
    tell(log, "work goes on")
    assert log.problem is not None and log.problem.startswith(f"The log {path} cannot be written: ")


@posix
@pytest.mark.parametrize("how", ["file deleted", "folder deleted", "file moved"])
def test_a_log_deleted_while_it_runs_is_begun_anew(log, path, how):
    tell(log, "before")
    path.rename(path.parent.parent / "old") if how == "file moved" else path.unlink()
    if how == "folder deleted":
        path.parent.rmdir()
    tell(log, "after")
    assert log.problem is None
    assert path.read_text().endswith("after\n") and "before" not in path.read_text()


def test_rotation_that_fails_is_told_and_ends_nothing(path):
    log = Log(path, token, most=100)
    tell(log, "one")
    (path.parent / "server.log.1" / "in the way").mkdir(parents=True)
    (path.parent / "server.log.2" / "in the way").mkdir(parents=True)
    for _ in range(3):
        tell(log, "x" * 80)
    assert log.problem is not None
    log.close()


def test_records_of_the_whole_program_get_there(path):
    root = logging.getLogger()
    level = root.level
    log = logs.start(path, token)
    try:
        logging.getLogger("uvicorn.error").warning("told by uvicorn")
        logging.getLogger("harmonize.server").debug("too much detail")
    finally:
        root.removeHandler(log)
        root.setLevel(level)
        logging.captureWarnings(False)
        log.close()
    assert "told by uvicorn" in path.read_text() and "detail" not in path.read_text()
