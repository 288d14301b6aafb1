import json
import shutil
import sys

import numpy as np
import pytest

from harmonize_engine import Composite
from harmonize_engine.evaluation import calibration
from harmonize_engine.evaluation.calibration import Trial, account, choose, fitted, most_worse
from harmonize_engine.gate import Opinion, harmony
from harmonize_engine.network import Network, folder


def made(count=400, honest=1.0, seed=1, noise=4.0, share=0.5):
    """Trials of a model that sees errors, with noise, as `honest` times as large as they are, and takes a share back."""
    random = np.random.default_rng(seed)
    found = []
    for n in range(count):
        untouched = n % 10 == 0
        off = 0.0 if untouched else random.uniform(1, 40)
        seen = max(0.0, off + random.normal(0, noise))
        moved = share * seen
        after = abs(off - moved)
        opinion = Opinion(harmony(honest * seen), harmony(honest * (1 - share) * seen), moved)
        found.append(Trial("untouched" if untouched else "retouch", opinion, off, after, moved))
    return found


@pytest.mark.parametrize("honest", [0.5, 1.0, 2.0])
def test_whatever_scale_a_model_has_its_gain_is_told_in_levels(honest):
    gate, fresh = fitted(made(honest=honest)), made(honest=honest, seed=2)
    told = [gate.confidence(trial.opinion) for trial in fresh]
    gains = np.array([20 * np.log(each.after / each.before) for each in told])
    true = np.array([trial.before - trial.after for trial in fresh])
    assert abs(gains.mean() - true.mean()) < 0.5
    for rows in np.array_split(np.argsort(gains), 5):
        assert abs(gains[rows].mean() - true[rows].mean()) < 1.5


def test_the_gate_that_ships_does_little_enough_harm_on_others_too():
    seen, fresh = (made(noise=8, share=1.0, seed=seed) for seed in (1, 2))
    gate, every = choose(seen, fitted(seen)), fitted(seen)
    assert account(seen, every).worse > most_worse and not account(seen, every).harmless()
    assert account(seen, gate).harmless() and account(fresh, gate).worse < most_worse
    strict = choose(seen, every, moved=0.2)
    assert strict.least_gain > gate.least_gain > choose(seen, every, moved=2).least_gain
    assert account(seen, gate).left > account(seen, every).left and account(seen, gate).ratio < 1


def test_a_model_that_only_harms_is_left_alone():
    harmful = [Trial("retouch", Opinion(0.5, 0.6, 9), 10.0, 12.0 + n % 3, 9.0) for n in range(50)]
    gate = choose(harmful, fitted(harmful))
    assert account(harmful, gate).left == 1 and account(harmful, gate).worse == 0


def test_the_step_writes_the_gate_into_the_card_and_the_engine_reads_it(photographs, tmp_path, monkeypatch, capsys):
    for kind in ("onnx", "json"):
        shutil.copy(folder / f"parametric.{kind}", tmp_path / f"mine.{kind}")
    before = json.loads((tmp_path / "mine.json").read_text())
    monkeypatch.setattr(sys, "argv", ["calibration", str(photographs), str(tmp_path / "mine.json")])
    calibration.main()
    assert "made worse" in capsys.readouterr().out
    after = json.loads((tmp_path / "mine.json").read_text())
    assert {k: v for k, v in after.items() if k != "gate"} == {k: v for k, v in before.items() if k != "gate"}
    assert after["gate"]["calibrated_on"].startswith("26 composites")  # two photographs, four families at three, untouched
    loaded = Network.load("mine", tmp_path)
    assert len(loaded.card.gate.gain) == 4
    mask = np.zeros((64, 80), np.float32)
    mask[20:40, 30:60] = 1
    found = loaded.harmonize(Composite(np.full((64, 80, 3), 0.4, np.float32), mask))
    assert found.confidence is not None and 0 <= found.confidence.after <= 1
