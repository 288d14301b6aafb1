"""The standard streams of a server, and its log, which never get in its way."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_server.processes import Home, announced, ended, wait_until, watched
from tests.model_server.proxies import question, scene


@pytest.fixture
def home(tmp_path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.close()


def linux_streams(pid: int) -> list[str]:
    return [os.readlink(f"/proc/{pid}/fd/{descriptor}") for descriptor in (0, 1, 2)]


@pytest.mark.parametrize("words", [[], ["--announce"]])
def test_it_lives_without_standard_streams(home, words):
    closing = 'exec "$@" <&- >&- 2>&-'
    home.run(["sh", "-c", closing, "sh", sys.executable, "-m", "model_server", *words])
    wait_until(home.state_file.exists)
    assert home.health()["status"] == "ok"
    assert home.ask("POST", "/v1/harmonize", question(*scene()))[0] == 200
    if Path("/proc/self/fd").exists():  # no file or socket of its own has got their numbers
        assert linux_streams(home.state["pid"]) == [os.devnull] * 3
    assert home.call("--stop")[0] == 0


def test_once_announced_it_holds_no_stream_of_who_has_started_it(home):
    process = home.start("--announce", stdin=subprocess.PIPE)
    assert announced(process)["ready"]
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    with watched(process):  # until the ends are reached
        assert process.stdout.read() == process.stderr.read() == ""
    with pytest.raises(BrokenPipeError):
        process.stdin.write("!")
        process.stdin.flush()
    assert process.poll() is None and home.health()["status"] == "ok"


def test_it_survives_that_nobody_hears_its_announcement(home):
    reading, writing = os.pipe()
    os.close(reading)
    process = home.start("--announce", stdout=writing, stderr=writing)
    os.close(writing)
    wait_until(home.state_file.exists)
    assert home.health()["pid"] == process.pid
    process.terminate()
    assert ended(process) == 0


def test_remarks_of_libraries_reach_no_terminal(home):
    remark = "import os; from model_server.shelf import Shelf; warm = Shelf.warm\n"
    remark += "def talkative(shelf):\n    os.write(2, b'a remark')\n    warm(shelf)\nShelf.warm = talkative"
    process = home.serve(before=remark)
    assert process.stderr is not None
    with watched(process):
        assert process.stderr.read() == ""


def test_a_log_on_a_full_disk_stops_no_request(home):
    home.log.parent.mkdir()
    home.log.symlink_to("/dev/full")
    home.serve()
    assert home.ask("POST", "/v1/harmonize", question(*scene()))[0] == 200
    assert "No space left on device" in home.health()["log_problem"]


def test_the_log_tells_of_its_life_but_not_the_token(home):
    process = home.serve()
    token = home.state["token"]
    home.ask("POST", "/v1/harmonize", question(*scene()))
    process.terminate()
    assert ended(process) == 0
    log = home.log.read_text()
    assert f"as process {process.pid}." in log and "SIGTERM" in log and log.endswith("It has stopped.\n")
    assert token not in log
