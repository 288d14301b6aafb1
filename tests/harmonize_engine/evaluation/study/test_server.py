"""The study, driven over a socket as a browser would."""

import http.client
import json
import threading
from collections.abc import Iterator
from random import Random

import pytest

from harmonize_engine import HarmonizeError
from harmonize_engine.evaluation.study import votes
from harmonize_engine.evaluation.study.ballot import Ballot, pictures
from harmonize_engine.evaluation.study.server import Study, StudyServer
from tests.harmonize_engine.evaluation.study.test_ballot import results


class Browser:
    """Asks a study."""

    def __init__(self, server: StudyServer) -> None:
        self.server = server

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, bytes, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)
        content = None if body is None else json.dumps(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, content, kind | headers)
        answer = connection.getresponse()
        found = answer.status, answer.read(), answer.getheader("Content-Type", "")
        connection.close()
        return found

    def json(self, path: str, body: object = None) -> object:
        status, content, _ = self.ask(path, body)
        assert status == 200, content
        return json.loads(content)


@pytest.fixture
def browser(tmp_path) -> Iterator[Browser]:
    ballot = Ballot(pictures(results(tmp_path)), chance=Random(1))
    server = StudyServer(Study(ballot, tmp_path / "votes.jsonl", "Which is <best>?"))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Browser(server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_page_asks_its_question_and_loads_nothing_from_elsewhere(browser):
    status, content, kind = browser.ask("/")
    assert status == 200 and kind.startswith("text/html")
    assert b"Which is &lt;best&gt;?" in content and b"http" not in content


def test_a_person_votes_and_the_vote_is_kept(browser, tmp_path):
    question = browser.json("/next")
    assert browser.json("/vote", {"token": question["token"], "choice": "right", "voter": "me"}) == {"kept": True}
    (vote,) = votes.read(tmp_path / "votes.jsonl")
    assert (vote.choice, vote.voter) == ("right", "me")
    assert browser.json("/next")["votes"] == 1


def test_nothing_a_voter_gets_names_a_method(browser, tmp_path):
    for _ in range(6):
        question = browser.json("/next")
        assert set(question) == {"token", "votes"}
        waiting = browser.server.study.ballot.waiting[question["token"]]
        for side, method in (("left", waiting.left), ("right", waiting.right)):
            status, content, kind = browser.ask(f"/picture/{question['token']}/{side}")
            assert (status, kind) == (200, "image/png")
            assert content == (tmp_path / method / f"{waiting.scene}.png").read_bytes()


def test_scores_follow_the_votes(browser):
    ballot = browser.server.study.ballot
    for _ in range(30):
        token = browser.json("/next")["token"]
        question = ballot.waiting[token]
        choice = "left" if question.left < question.right else "right"  # a beats b beats c
        browser.json("/vote", {"token": token, "choice": choice})
    assert [score["method"] for score in browser.json("/scores")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "body", [{"token": "none", "choice": "left"}, {"choice": "left"}, {}, [], "left"], ids=lambda body: json.dumps(body)
)
def test_what_is_no_vote_is_refused(browser, tmp_path, body):
    assert browser.ask("/vote", body)[0] == 409
    assert votes.read(tmp_path / "votes.jsonl") == []


def test_other_pages_of_the_web_are_refused(browser):
    question = browser.json("/next")
    vote = {"token": question["token"], "choice": "left"}
    assert browser.ask("/vote", vote, Origin="http://example.org")[0] == 403
    assert browser.ask("/next", Host="example.org")[0] == 403
    assert browser.ask("/vote", vote, **{"Content-Type": "text/plain"})[0] == 404
    assert browser.ask("/vote", vote, Origin=browser.server.url.rstrip("/"))[0] == 200


@pytest.mark.parametrize("path", ["/none", "/picture/none", "/votes.jsonl", "/../votes.jsonl"])
def test_there_is_nothing_else(browser, path):
    assert browser.ask(path)[0] == 404


def test_a_picture_of_no_question_is_refused(browser):
    assert browser.ask("/picture/none/left")[0] == 409
    token = browser.json("/next")["token"]
    assert browser.ask(f"/picture/{token}/middle")[0] == 409


def test_a_port_that_is_taken_is_told(browser):
    with pytest.raises(HarmonizeError) as error:
        StudyServer(browser.server.study, browser.server.server_port)
    assert error.value.code == "port_taken"
