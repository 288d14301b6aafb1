import random

import numpy as np
import pytest

from harmonize_engine.evaluation.study.bradley_terry import fit, scores
from harmonize_engine.evaluation.study.votes import Vote

known = {"ours": 0.5, "theirs": 0.3, "composite": 0.2}


def simulated(count: int, seed: int = 1) -> list[Vote]:
    """Votes of people whose preferences follow the known scores."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        left, right = chance.sample(list(known), 2)
        choice = "left" if chance.random() < known[left] / (known[left] + known[right]) else "right"
        found.append(Vote(str(number), left, right, choice))
    return found


def test_known_scores_are_recovered_from_simulated_votes():
    found = {score.method: score for score in scores(simulated(4000), list(known))}
    for method, score in known.items():
        assert found[method].score == pytest.approx(score, abs=0.02)
        assert found[method].low < score < found[method].high


def test_intervals_shrink_with_more_votes():
    few, many = (scores(simulated(count), list(known))[0] for count in (100, 1600))
    assert 2.5 < (few.high - few.low) / (many.high - many.low) < 6


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    hits = [s.low <= known[s.method] <= s.high for seed in range(40) for s in scores(simulated(200, seed), list(known))]
    assert np.mean(hits) > 0.88


def test_the_published_scores_follow_from_the_win_rates_they_imply():
    published = np.array([0.1025, 0.1342, 0.2257, 0.2350, 0.3025])  # PIH's user study
    rates = published[:, None] / (published[:, None] + published)
    wins = 1000 * rates * (1 - np.eye(5))
    assert np.allclose(fit(wins[None])[0], published / published.sum(), atol=1e-3)


def test_who_always_wins_has_a_finite_lead_and_no_difference_counts_half():
    found = scores([Vote("s", "a", "b", "left")] * 20, ["a", "b"])
    assert found[0].method == "a" and 0.9 < found[0].score < 1
    drawn = scores([Vote("s", "a", "b", "same")] * 20, ["a", "b"])
    assert [score.score for score in drawn] == pytest.approx([0.5, 0.5])


def test_without_votes_all_are_equal():
    assert [(s.score, s.low, s.high, s.votes) for s in scores([], ["a", "b"])] == [(0.5, 0, 1, 0)] * 2
