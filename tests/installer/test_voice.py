"""What is told to people, and what to programs."""

import json

import pytest

from installer.failure import InstallError
from installer.voice import Voice, summary


def test_people_are_told_sentences_and_files_of_a_folder_together(capsys: pytest.CaptureFixture[str]):
    voice = Voice()
    voice.tell("Downloading numpy", 0.1)
    voice.tell("Downloading numpy", 0.2)
    for name in "abc":
        voice.tell(f"Write /home/x/plug-ins/harmonize/{name}.py")
    voice.tell("Write /home/x/bin/harmonize")
    voice.finish("Done.")
    assert capsys.readouterr().out.splitlines() == [
        "Downloading numpy",
        "Write 3 files into /home/x/plug-ins/harmonize",
        "Write /home/x/bin/harmonize",
        "Done.",
    ]


def test_programs_are_told_a_json_object_a_line(capsys: pytest.CaptureFixture[str]):
    voice = Voice("progress")
    voice.tell("Downloading numpy", 0.5)
    voice.tell("Write /x/y")
    voice.finish("Done.", version="1.0")
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [
        {"sentence": "Downloading numpy", "share": 0.5},
        {"sentence": "Write /x/y", "share": None},
        {"done": True, "sentence": "Done.", "version": "1.0"},
    ]


def test_a_document_tells_all_that_was_done_and_the_sentences_go_elsewhere(capsys: pytest.CaptureFixture[str]):
    voice = Voice("document")
    voice.tell("Write /x/y")
    voice.tell("Write /x/z")
    voice.finish("Done.")
    told = capsys.readouterr()
    assert json.loads(told.out) == {"done": True, "sentence": "Done.", "did": ["Write /x/y", "Write /x/z"]}
    assert told.err == "Write 2 files into /x\n"


@pytest.mark.parametrize("manner", ["sentences", "progress", "document"])
def test_a_failure_is_one_line(manner, capsys: pytest.CaptureFixture[str]):
    Voice(manner).fail(InstallError("no_network", "It could\nnot be reached.", "Try again."), "the.log")
    told = capsys.readouterr()
    if manner == "sentences":
        assert told.err == "harmonize: error [no_network]: It could not be reached. Try again.\n"
    else:
        failure = {"code": "no_network", "message": "It could not be reached.", "hint": "Try again.", "log": "the.log"}
        assert json.loads(told.out) == {"done": False} | failure


def test_a_summary_keeps_the_order_and_what_it_does_not_know():
    told = ["Remove /a/x", "Start", "Remove /a/y", "  Write /b/z", "  Write /b/w"]
    assert summary(told) == ["Remove 2 files from /a", "Start", "  Write 2 files into /b"]
