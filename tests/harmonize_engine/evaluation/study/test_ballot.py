from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from harmonize_engine import HarmonizeError
from harmonize_engine.evaluation.study.ballot import Ballot, pictures
from harmonize_engine.evaluation.study.votes import Vote, append, read


def results(folder: Path, methods: str = "abc", scenes: tuple[str, ...] = ("x", "set/y")) -> list[Path]:
    """A folder for each method with a flat picture for each scene."""
    for shade, method in enumerate(methods):
        for scene in scenes:
            path = folder / method / f"{scene}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8, 3), 40 * shade, np.uint8)).save(path)
    return [folder / method for method in methods]


def test_every_pair_of_methods_is_asked_equally_often_and_every_scene(tmp_path):
    ballot = Ballot(pictures(results(tmp_path)), chance=Random(1))
    for _ in range(60):
        ballot.answer(ballot.ask().token, "same")
    pairs = Counter((frozenset((vote.left, vote.right)), vote.scene) for vote in ballot.votes)
    assert set(pairs.values()) == {10} and len(pairs) == 6


def test_sides_are_by_chance(tmp_path):
    ballot = Ballot(pictures(results(tmp_path, "ab")), chance=Random(1))
    lefts = Counter(ballot.ask().left for _ in range(200))
    assert 70 < lefts["a"] < 130


def test_a_question_is_answered_once(tmp_path):
    ballot = Ballot(pictures(results(tmp_path)), chance=Random(1))
    question = ballot.ask()
    vote = ballot.answer(question.token, "left", "me")
    assert (vote.scene, vote.left, vote.right, vote.choice, vote.voter) == (
        question.scene,
        question.left,
        question.right,
        "left",
        "me",
    )
    with pytest.raises(HarmonizeError, match="answered"):
        ballot.answer(question.token, "left")
    with pytest.raises(HarmonizeError, match="no choice"):
        ballot.answer(ballot.ask().token, "both")


def test_a_single_folder_holds_the_methods(tmp_path):
    results(tmp_path)
    assert list(pictures([tmp_path])) == ["a", "b", "c"]


@pytest.mark.parametrize("code", ["folder_missing", "usage", "nothing_to_do"])
def test_folders_that_cannot_be_compared_are_refused(tmp_path, code):
    a, b = results(tmp_path, "ab")
    (tmp_path / "other" / "a").mkdir(parents=True)
    folders = {
        "folder_missing": [a, tmp_path / "none"],
        "usage": [a, tmp_path / "other" / "a"],
        "nothing_to_do": [tmp_path / "other", b],
    }
    with pytest.raises(HarmonizeError) as error:
        pictures(folders[code])
    assert error.value.code == code


def test_votes_are_kept_and_broken_lines_count_for_nothing(tmp_path):
    path = tmp_path / "votes.jsonl"
    vote = Vote("x", "a", "b", "left", "me", "2026-01-01T00:00:00+00:00")
    append(vote, path)
    with path.open("a") as file:
        file.write('{"scene": "x"\n{"scene": "x", "left": "a", "right": "b", "choice": "both"}\n')
    append(vote, path)
    assert read(path) == [vote, vote]
    assert read(tmp_path / "none.jsonl") == []
