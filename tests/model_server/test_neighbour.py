"""A start where a server runs already, or has left something behind."""

import http.client
import json
import signal
import socket
import subprocess
from collections.abc import Iterator

import filelock
import psutil
import pytest

from tests.model_server.processes import Asking, Home, announced, ended, hasty, impatient, slow_look, version, wait_until
from tests.model_server.proxies import question, scene


@pytest.fixture
def home(tmp_path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.close()


def test_a_second_start_finds_the_first(home):
    first = home.serve()
    before = home.state
    second = home.start("--announce")
    assert announced(second) == {"ready": True, "attached": True}
    assert ended(second) == 0
    assert home.state == before and first.poll() is None


@pytest.mark.parametrize("count", [2, 8])
def test_of_several_starts_at_once_one_serves_and_the_others_find_it(home, count):
    starts = [home.start("--announce") for _ in range(count)]
    told = [announced(start) for start in starts]
    assert sorted(told, key=str) == sorted([{"ready": True, "attached": n > 0} for n in range(count)], key=str)
    servers = [start for start, line in zip(starts, told, strict=True) if not line["attached"]]
    assert [server.pid for server in servers] == [home.state["pid"]]
    assert all(ended(start) == 0 for start in starts if start not in servers)
    assert home.health()["pid"] == servers[0].pid


def test_a_newer_server_is_used(home):
    home.serve(before=version.format("99.0.0"))
    assert announced(home.start("--announce"))["attached"]


def test_an_older_server_finishes_its_work_and_gives_way(home):
    older = home.serve(before=version.format("0.0.9") + slow_look)
    asking = Asking(home)
    newer = home.start("--announce")
    wait_until(lambda: not home.state_file.exists())  # it has been asked to go
    assert older.poll() is None
    asking.go()
    assert asking.answered()[0] == 200
    assert announced(newer) == {"ready": True, "attached": False}
    assert ended(older) == 0
    assert home.state["pid"] == newer.pid


def test_a_server_that_hangs_is_replaced(home):
    hanging = home.serve()
    hanging.send_signal(signal.SIGSTOP)
    home.serve(before=impatient)
    assert ended(hanging) == -signal.SIGKILL
    assert home.health()["status"] == "ok"


def test_a_killed_server_is_replaced_even_in_the_middle_of_a_request(home):
    killed = home.serve(before=slow_look)
    asking = Asking(home)
    killed.kill()
    assert isinstance(asking.answered(), (OSError, http.client.HTTPException))
    assert home.left() == {"run/server.json"}
    process = home.serve()
    assert home.state["pid"] == process.pid
    assert home.ask("POST", "/v1/harmonize", question(*scene()))[0] == 200


def test_a_server_killed_while_it_starts_keeps_nobody_out(home):
    starting = home.start("--announce", before="import time; from model_server.shelf import Shelf; Shelf.warm = input")
    wait_until((home.runtime / "server.lock").exists)
    starting.kill()
    home.serve()


def recycled(home: Home, bystander: subprocess.Popen[str]) -> None:
    """Write the state of a dead server whose number the system has given to another program in the very same moment."""
    started = psutil.Process(bystander.pid).create_time()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    fields = {"host": "127.0.0.1", "port": port, "token": "t", "version": "0.0.1", "log": "", "started": started}
    home.runtime.mkdir(mode=0o700)
    home.state_file.touch(mode=0o600)
    home.state_file.write_text(json.dumps(fields | {"pid": bystander.pid}))


def test_a_stale_state_is_replaced_and_who_has_its_number_now_lives(home):
    bystander = home.bystander()
    recycled(home, bystander)
    process = home.serve()
    assert home.state["pid"] == process.pid
    assert bystander.poll() is None


@pytest.mark.parametrize("words", [["--announce"], ["--stop"]])
def test_who_has_the_number_of_a_server_is_not_killed_for_it_even_while_another_holds_the_lock(home, words):
    bystander = home.bystander()
    recycled(home, bystander)
    with filelock.FileLock(home.runtime / "server.lock"):
        status, _, errors = home.call(*words, before=impatient)
    assert status == 2 and "[server_hung]" in errors
    assert bystander.poll() is None
    assert home.state["pid"] == bystander.pid


def test_a_start_waits_for_one_that_has_not_come_to_write_its_state(home):
    home.runtime.mkdir(mode=0o700)
    with filelock.FileLock(home.runtime / "server.lock"):
        status, output, _ = home.call("--announce", before=hasty)
    assert status == 2 and json.loads(output)["code"] == "server_changing"
    with filelock.FileLock(home.runtime / "server.lock"):
        waiting = home.start("--announce")
    assert announced(waiting)["ready"]
