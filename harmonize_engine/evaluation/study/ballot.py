"""What is shown next: two methods on one scene, side by side in a random order, those compared least so far first."""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from random import Random

from harmonize_engine.batch import suffixes
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation.study.votes import Vote, choices

Pictures = Mapping[str, Mapping[str, Path]]  # by method, then by scene


@dataclass(frozen=True)
class Question:
    """Two pictures of a scene. token: all that the voter learns of it."""

    token: str
    scene: str
    left: str
    right: str


def pictures(folders: Sequence[Path]) -> Pictures:
    """Find each method's pictures; methods are called as their folders, a single folder's own folders are the methods.

    Raises HarmonizeError `folder_missing`, `usage` or `nothing_to_do`.
    """
    for folder in folders:
        if not folder.is_dir():
            raise HarmonizeError("folder_missing", f"There is no folder {folder}.", "Check its name.")
    if len(folders) == 1:
        folders = sorted(path for path in folders[0].iterdir() if path.is_dir())
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        raise HarmonizeError("usage", "Two folders have the same name.", "Methods are called as their folders: rename one.")
    found = {name: _below(folder) for name, folder in zip(names, folders, strict=True)}
    if not any(set(found[a]) & set(found[b]) for a, b in combinations(found, 2)):
        raise HarmonizeError("nothing_to_do", "No two folders have a picture of the same name.", "Name results alike.")
    return found


def _below(folder: Path) -> dict[str, Path]:
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in suffixes)
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}


@dataclass
class Ballot:
    """Questions that wait for their answers, and what has been answered."""

    pictures: Pictures
    votes: list[Vote] = field(default_factory=list[Vote])
    chance: Random = field(default_factory=Random)
    waiting: dict[str, Question] = field(default_factory=dict[str, Question])

    @property
    def methods(self) -> list[str]:
        """Who is compared."""
        return list(self.pictures)

    def ask(self) -> Question:
        """Choose the next question: of the pairs compared least the scene compared least, ties by chance."""
        pairs = Counter(frozenset((vote.left, vote.right)) for vote in self.votes)
        scenes = Counter((vote.scene, frozenset((vote.left, vote.right))) for vote in self.votes)
        open_pairs = [
            (pair, shared)
            for pair in combinations(self.methods, 2)
            if (shared := sorted(set(self.pictures[pair[0]]) & set(self.pictures[pair[1]])))
        ]
        pair, shared = min(open_pairs, key=lambda found: (pairs[frozenset(found[0])], self.chance.random()))
        scene = min(shared, key=lambda name: (scenes[name, frozenset(pair)], self.chance.random()))
        left, right = self.chance.sample(pair, 2)
        question = Question(secrets.token_urlsafe(12), scene, left, right)
        self.waiting[question.token] = question
        return question

    def answer(self, token: str, choice: str, voter: str = "") -> Vote:
        """Take an answer; each question has one. Raises HarmonizeError `question_unknown` or `choice_unknown`."""
        if choice not in choices:
            raise HarmonizeError("choice_unknown", f"{choice!r} is no choice.", f"Choose one of {', '.join(choices)}.")
        question = self.waiting.pop(token, None)
        if question is None:
            raise HarmonizeError("question_unknown", "This question was answered, or never asked.", "Ask for another.")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        vote = Vote(question.scene, question.left, question.right, choice, voter, now)
        self.votes.append(vote)
        return vote

    def picture(self, token: str, side: str) -> Path:
        """The file of one side of a question that waits. Raises HarmonizeError `question_unknown`."""
        question = self.waiting.get(token)
        if question is None or side not in ("left", "right"):
            raise HarmonizeError("question_unknown", "There is no such picture.", "Ask for another.")
        return self.pictures[question.left if side == "left" else question.right][question.scene]
