import http.client
import json
import re
import signal
import subprocess
import sys

import pytest

from harmonize_engine.evaluation.study.votes import Vote, append, read
from tests.harmonize_engine.evaluation.study.test_ballot import results


def test_votes_that_are_there_are_scored(desk):
    for _ in range(8):
        append(Vote("x", "ours", "theirs", "left"), desk / "votes.jsonl")
    ran = desk.harmonize("study", "--votes", desk / "votes.jsonl", "--scores")
    assert ran.status == 0 and re.search(r"ours +0\.9\d+", ran.out), ran
    scores = json.loads(desk.harmonize("study", "--votes", desk / "votes.jsonl", "--scores", "--json").out)
    assert [score["method"] for score in scores] == ["ours", "theirs"]


def test_a_study_runs_until_ctrl_c_and_then_tells_the_scores(desk):
    command = [sys.executable, "-m", "harmonize_engine.cli.main", "study", *results(desk.folder / "made")]
    with subprocess.Popen([*command, "--votes", desk / "votes.jsonl"], stdout=subprocess.PIPE, text=True) as study:
        assert study.stdout is not None
        port = re.search(r"127\.0\.0\.1:(\d+)/", study.stdout.readline())
        assert port is not None
        connection = http.client.HTTPConnection("127.0.0.1", int(port[1]), timeout=10)
        connection.request("GET", "/next")
        token = json.loads(connection.getresponse().read())["token"]
        vote = json.dumps({"token": token, "choice": "left"})
        connection.request("POST", "/vote", vote, {"Content-Type": "application/json"})
        assert connection.getresponse().status == 200
        connection.close()
        study.send_signal(signal.SIGINT)
        told = study.stdout.read()
    assert study.returncode == 0
    assert "method  score" in told and len(read(desk / "votes.jsonl")) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("usage", ()),
        ("usage", ("made/a", "made/b", "--port", "70000")),
        ("folder_missing", ("none", "made/a")),
        ("no_votes", ("--scores",)),
    ],
)
def test_a_study_of_nothing_is_refused(desk, monkeypatch, code, words):
    results(desk.folder / "made")
    monkeypatch.chdir(desk.folder)
    desk.refused(code, "study", *words, "--votes", desk / "votes.jsonl")
