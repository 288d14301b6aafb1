"""The life of a server that is a real process: born once, found, used, gone."""

import http.client
import json
import shutil
import signal
from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest

import harmonize_engine
from model_server import life
from model_server.followers import Followed
from model_server.life import Life
from tests.model_server.processes import Asking, Home, announced, brisk, ended, short_drain, slow_look, wait_until
from tests.model_server.proxies import question, scene


@pytest.fixture
def home(tmp_path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.close()


# being found


def test_a_server_says_where_it_is_and_answers_there(home):
    process = home.serve()
    assert home.state.keys() == {"host", "port", "token", "pid", "version", "started", "log"}
    assert home.state["pid"] == process.pid and home.state["version"] == harmonize_engine.__version__
    assert home.state["started"] == pytest.approx(psutil.Process(process.pid).create_time())
    told = home.health()
    assert told["status"] == "ok" and told["pid"] == process.pid and told["log"] == str(home.log)
    status, answer = home.ask("POST", "/v1/harmonize", question(*scene()))
    assert status == 200 and answer["harmonization"]["adjustments"]


def test_the_default_model_is_ready_before_the_server_is_announced(home):
    home.serve()
    assert "parametric" in home.health()["models_loaded"]


def test_it_has_no_children_and_makes_no_files_but_its_own(home):
    process = home.serve()
    home.ask("POST", "/v1/harmonize", question(*scene()))
    assert psutil.Process(process.pid).children() == []
    assert home.left() == {"run/server.json"}
    process.terminate()
    assert ended(process) == 0
    assert home.left() == set()


def test_starting_imports_nothing_that_serving_does_not_need(home):
    told = "import sys; from model_server import streams\nstreams.silence = lambda: print(*sys.modules, flush=True)"
    server = home.serve(before=told)
    assert server.stdout is not None
    imported = {name.split(".")[0] for name in server.stdout.readline().split()}
    assert "uvicorn" in imported
    assert not imported & {"torch", "onnx", "requests", "scipy", "skimage", "cv2", "tqdm", "hypothesis", "websockets"}


# leaving


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_running_requests_finish_with_the_state_gone_first(home, number):
    process = home.serve(before=slow_look)
    asking = Asking(home)
    process.send_signal(number)
    wait_until(lambda: not home.state_file.exists())
    assert process.poll() is None and asking.answer is None
    asking.go()
    assert asking.answered()[0] == 200
    assert ended(process) == 0
    assert home.left() == set()


def test_a_second_signal_ends_it_at_once(home):
    process = home.serve(before=slow_look)
    asking = Asking(home)
    process.terminate()
    wait_until(lambda: not home.state_file.exists())
    process.terminate()
    assert ended(process) == 128 + signal.SIGTERM
    asking.answered()


def test_a_request_that_does_not_finish_keeps_it_for_no_longer_than_agreed(home):
    process = home.serve(before=short_drain + slow_look)
    asking = Asking(home)
    process.terminate()
    assert ended(process) == 0
    status, answer = asking.answered()
    assert status == 503 and answer["code"] == "stopping"
    assert home.left() == set()


def test_a_client_can_have_it_leave(home):
    process = home.serve()
    assert home.ask("POST", "/v1/stop")[0] == 200
    assert ended(process) == 0
    assert home.left() == set()


def test_nobody_using_it_it_leaves_and_asking_for_its_health_is_no_use(home):
    process = home.serve("--idle-minutes", "0.02", before=brisk)
    while process.poll() is None:
        try:
            assert home.health()["idle_exit_s"] <= 1.2
        except (OSError, http.client.HTTPException, ValueError):
            break  # it has left
    assert ended(process) == 0
    assert home.left() == set()


def test_work_is_not_idleness(home):
    process = home.serve("--idle-minutes", "0.01", before=brisk + slow_look)
    asking = Asking(home)
    wait_until(lambda: home.health()["idle_exit_s"] == 0)
    began = home.health()["uptime_s"]
    wait_until(lambda: home.health()["uptime_s"] > began + 0.5)
    asking.go()
    assert asking.answered()[0] == 200
    assert ended(process) == 0


def test_a_server_may_stay_for_ever(home):
    home.serve("--idle-minutes", "0")
    assert home.health()["idle_exit_s"] is None


def test_use_begins_the_idle_time_anew(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(life.time, "monotonic", lambda: clock.now)
    alive = Life(1, Followed(binding=False), SimpleNamespace(problem=None))
    clock.now += 40
    assert alive.idle_exit_s == 20
    alive.touch()
    assert alive.idle_exit_s == 60
    clock.now += 100
    assert alive.idle_exit_s == 0


def test_it_leaves_with_the_last_program_it_was_started_for(home):
    first, second = home.bystander(), home.bystander()
    process = home.serve("--follow", str(first.pid), before=brisk)
    assert announced(home.start("--announce", "--follow", str(second.pid)))["attached"]
    assert home.health()["follows"] == sorted([first.pid, second.pid])
    first.kill()
    wait_until(lambda: home.health()["follows"] == [second.pid])
    began = home.health()["uptime_s"]
    wait_until(lambda: home.health()["uptime_s"] > began + 0.5)
    second.kill()
    assert ended(process) == 0
    assert home.left() == set()


def test_it_follows_whom_a_client_names(home):
    follower = home.bystander()
    process = home.serve(before=brisk)
    assert home.ask("POST", "/v1/follow", {"pid": follower.pid}) == (200, {"follows": [follower.pid]})
    status, answer = home.ask("POST", "/v1/follow", {"pid": process.pid})
    assert status == 422 and answer["code"] == "process_unknown"
    follower.kill()
    assert ended(process) == 0


def test_it_is_not_started_for_a_program_that_is_gone(home):
    gone = home.bystander()
    gone.kill()
    gone.wait()
    status, output, _ = home.call("--announce", "--follow", str(gone.pid))
    assert status == 2 and json.loads(output)["code"] == "process_unknown"
    assert home.left() == set()


def test_a_server_that_nobody_can_find_leaves(home):
    process = home.serve(before=brisk)
    home.state_file.unlink()
    assert ended(process) == 0


def test_a_server_whose_folder_was_deleted_leaves_the_next_one_alone(home):
    lost = home.serve()
    shutil.rmtree(home.runtime)
    home.serve()
    before = home.state
    assert ended(lost) == 0
    assert home.state == before and home.health()["status"] == "ok"


# where it listens


def test_it_can_listen_at_the_other_loopback(home):
    home.serve("--host", "::1")
    assert home.state["host"] == "::1"
    assert home.health()["status"] == "ok"
    assert announced(home.start("--announce"))["attached"]


def test_a_server_for_others_warns_and_is_found_from_here(home):
    process = home.start("--announce", "--host", "0.0.0.0", "--allow-remote")
    assert announced(process)["ready"]
    assert process.stderr is not None and "other computers can reach the server" in process.stderr.read()
    assert home.state["host"] == "127.0.0.1"
    assert home.health()["status"] == "ok"
