"""`harmonize serve` as a person or a plug-in types it."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harmonize_engine.cli.main import main
from tests.model_server.processes import Home, announced, ended, root


@pytest.fixture
def home(tmp_path, monkeypatch) -> Iterator[Home]:
    home = Home(tmp_path)
    for name in ("HARMONIZE_RUNTIME_DIR", "HARMONIZE_LOG_DIR"):
        monkeypatch.setenv(name, home.environment[name])
    yield home
    home.close()


def test_a_person_is_told_where_it_serves_and_that_it_stops(home):
    process = home.start("--idle-minutes", "5")
    assert process.stdout is not None and process.stderr is not None
    line = process.stdout.readline()
    assert line.startswith(f"Harmonize serves at http://127.0.0.1:{home.state['port']} until nobody has used it for 5 min")
    process.send_signal(signal.SIGINT)
    assert ended(process) == 0
    assert process.stdout.read() == process.stderr.read() == ""


def test_a_person_is_told_of_the_server_that_runs(home, capsys):
    home.serve()
    assert main(["serve"]) == 0
    assert capsys.readouterr().out == f"A Harmonize server runs already at http://127.0.0.1:{home.state['port']}\n"


def test_both_commands_are_the_same(home):
    home.serve()
    told = [
        home.run([sys.executable, "-m", *words, "--status", "--json"]).communicate()[0]
        for words in (["model_server"], ["harmonize_engine.cli.main", "serve"])
    ]
    first, second = (json.loads(text) for text in told)
    assert first.keys() == second.keys() and first["pid"] == second["pid"] == home.state["pid"]


def test_an_announcement_is_one_line_of_json_and_nothing_else(home):
    process = home.start("--announce")
    assert announced(process) == {"ready": True, "attached": False}
    status, output, errors = home.call("--announce")
    assert (status, output, errors) == (0, '{"ready": true, "attached": true}\n', "")
    assert process.stdout is not None and process.stdout.read() == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--port", "99999"], "usage"),
        (["--colour"], "usage"),
        (["--host", "0.0.0.0"], "remote_refused"),
        (["--device", "toaster"], "device_unknown"),
        (["--models", "nonesuch"], "model_unknown"),
    ],
)
def test_a_program_is_told_in_its_line_why_there_is_no_server(home, capfd, words, code):
    status, output, errors = home.call("--announce", *words)
    assert status == 2
    told = json.loads(output)
    assert told.keys() == {"code", "message", "hint", "log"}
    assert told["code"] == code and told["message"].endswith(".") and told["log"] == str(home.log)
    assert f"[{code}]" in errors and len(errors.splitlines()) == 1
    assert home.left() == set()


def test_weights_that_are_damaged_are_told_and_leave_the_way_free(home):
    damaged = "from pathlib import Path; from harmonize_engine import network; network.folder = Path.cwd() / 'none'"
    status, output, _ = home.call("--announce", before=damaged)
    assert status == 2 and json.loads(output)["code"] == "weights_missing"
    assert "weights" in home.log.read_text()
    assert home.left() == set()
    home.serve()


def test_a_port_in_use_is_told_in_a_sentence(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, output, errors = home.call("--port", str(port))
    assert status == 2 and output == ""
    sentence = f"Port {port} of 127.0.0.1 is used by another program. Leave out --port to get a free one."
    assert errors == f"harmonize: error [port_used]: {sentence}\n"


def test_a_port_that_is_asked_for_is_used_also_right_after_another_server(home):
    first = home.serve()
    port = home.state["port"]
    with socket.create_connection(("127.0.0.1", port)):  # it keeps the port for a while once the server has closed it
        home.health()
        first.terminate()
        ended(first)
    home.serve("--port", str(port))
    assert home.state["port"] == port


def test_a_server_at_another_port_is_not_taken_for_the_one_asked_for(home, capsys):
    home.serve()
    other = home.state["port"] % 60000 + 1024
    assert main(["serve", "--port", str(other)]) == 2
    assert "[runs_elsewhere]" in capsys.readouterr().err
    assert main(["serve", "--port", str(home.state["port"])]) == 0


@pytest.mark.parametrize("words", [["--host", "::1"], ["--host", "0.0.0.0", "--allow-remote"]])
def test_a_server_at_another_address_is_not_taken_for_the_one_asked_for(home, capsys, words):
    home.serve()
    assert main(["serve", *words]) == 2
    assert "[runs_elsewhere]" in capsys.readouterr().err


def test_a_refused_folder_is_told_in_a_sentence(home, capsys):
    home.runtime.mkdir()
    home.runtime.chmod(0o755)
    for words in ([], ["--status"], ["--stop"], ["--announce"]):
        assert main(["serve", *words]) == 2
        assert "[runtime_folder_refused]" in capsys.readouterr().err


def test_status_where_no_server_runs(home, capsys):
    assert main(["serve", "--status"]) == 0
    assert capsys.readouterr().out == "No Harmonize server is running.\n"
    assert main(["serve", "--status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"running": False}
    assert home.left() == set()


def test_status_of_a_server(home, capsys):
    home.serve("--idle-minutes", "90")
    assert main(["serve", "--status"]) == 0
    table = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert table["address"] == f"http://127.0.0.1:{home.state['port']}"
    assert f"process {home.state['pid']}" in table["version"]
    assert table["device"].startswith("cpu: ") and "parametric" in table["models"]
    assert table["leaves"] == "in 90 minutes if nobody uses it" or table["leaves"] == "in 1.5 hours if nobody uses it"
    assert table["log"] == str(home.log)
    assert main(["serve", "--status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["running"] and told["pid"] == home.state["pid"] and told["status"] == "ok"
    assert json.loads(Path(told["state"]).read_text())["token"] == home.state["token"]
    assert home.state["token"] not in json.dumps(table) + json.dumps(told)


def test_stopping_waits_until_the_server_is_gone_and_may_be_repeated(home, capsys):
    process = home.serve()
    assert main(["serve", "--stop"]) == 0
    assert process.poll() == 0
    assert home.left() == set()
    assert main(["serve", "--stop"]) == 0
    assert capsys.readouterr().out == "The server has stopped.\nNo Harmonize server was running.\n"


def test_stopping_a_server_that_hangs_ends_it(home):
    process = home.serve()
    process.send_signal(signal.SIGSTOP)
    status, output, _ = home.call("--stop", before="from model_server import neighbour; neighbour.patience = 0.5")
    assert (status, output) == (0, "The server has stopped.\n")
    assert ended(process) == -signal.SIGKILL
    assert home.left() == set()


def test_what_does_not_go_together_is_refused(home, capsys):
    assert main(["serve", "--status", "--stop"]) == 2
    assert main(["serve", "--json"]) == 2
    assert main(["serve", "--idle-minutes", "-1"]) == 2
    assert main(["serve", "--idle-minutes", "nan"]) == 2
    assert capsys.readouterr().err.count("[usage]") == 4


def test_other_verbs_do_not_load_the_server():
    script = "import sys, harmonize_engine.cli.main; print({'model_server', 'uvicorn', 'psutil'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=True)
    assert found.stdout == "set()\n"


def test_folders_may_have_names_that_are_not_utf_8(tmp_path):
    folder = tmp_path / ("B\udcfccher" if sys.platform == "linux" else "Bücher")  # elsewhere there are none
    folder.mkdir()
    home = Home(folder)
    try:
        home.serve()
        status, told = home.ask("POST", "/v1/harmonize", {})
        assert (status, told["log"]) == (422, str(home.log))
        assert home.health()["log"] == str(home.log)
        assert home.call()[1].startswith("A Harmonize server runs already")
    finally:
        home.close()
