"""Scores that explain who was preferred to whom (Bradley & Terry 1952): P(i beats j) = s_i / (s_i + s_j).

Fitted by Hunter's minorise-maximise iteration (2004) to the maximum of the likelihood with a weak prior, a tenth of a drawn
game between every two, so that scores exist where somebody always won. Scores sum to 1, as in the papers' tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harmonize_engine.curves import Floats
from harmonize_engine.evaluation.study.votes import Vote

prior = 0.1  # of a draw
rounds, resamples = 300, 500


@dataclass(frozen=True)
class Score:
    """Of one method: its score, the 95 % interval by bootstrap over votes, and how many votes it took part in."""

    method: str
    score: float
    low: float
    high: float
    votes: int


def scores(votes: Sequence[Vote], methods: Sequence[str], seed: int = 2026) -> list[Score]:
    """Fit scores to votes, the best first; a vote for "same" counts half for each."""
    number = {method: i for i, method in enumerate(methods)}
    games = [_game(vote, number) for vote in votes if vote.left in number and vote.right in number]
    if not games:
        return [Score(method, 1 / len(methods), 0.0, 1.0, 0) for method in methods]
    table = np.array(games)  # (n, 3): i, j, what i won
    found = fit(_wins(table, len(methods))[None])[0]
    rows = np.random.default_rng(seed).integers(len(table), size=(resamples, len(table)))
    spread = fit(np.stack([_wins(table[chosen], len(methods)) for chosen in rows]))
    low, high = np.percentile(spread, (2.5, 97.5), axis=0)
    played = np.bincount(table[:, :2].astype(int).ravel(), minlength=len(methods))
    ranked = [Score(m, float(found[i]), float(low[i]), float(high[i]), int(played[i])) for m, i in number.items()]
    return sorted(ranked, key=lambda score: -score.score)


def fit(wins: Floats) -> Floats:
    """Scores (B, n) that sum to 1 of B tables of wins (B, n, n): how often row beat column."""
    count = wins.shape[-1]
    others = 1 - np.eye(count)
    wins = wins + prior / 2 * others
    games, won = wins + wins.transpose(0, 2, 1), wins.sum(2)
    found = np.full((len(wins), count), 1 / count)
    for _ in range(rounds):
        found = won / (games / (found[:, :, None] + found[:, None, :])).sum(2)
        found /= found.sum(1, keepdims=True)
    return found


def _game(vote: Vote, number: dict[str, int]) -> tuple[float, float, float]:
    won = {"left": 1.0, "right": 0.0, "same": 0.5}[vote.choice]
    return number[vote.left], number[vote.right], won


def _wins(table: Floats, count: int) -> Floats:
    wins = np.zeros((count, count))
    first, second, won = table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2]
    np.add.at(wins, (first, second), won)
    np.add.at(wins, (second, first), 1 - won)
    return wins
