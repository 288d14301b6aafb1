import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from harmonize_engine.models.parametric import ParametricConfig
from harmonize_engine.training import loss
from harmonize_engine.training.parametric import Progress, TrainingConfig, rate_at, train

small = ParametricConfig(widths=(8, 8, 12, 16), blocks=(0, 0, 0, 1), bins=8, hidden=32)
config = TrainingConfig(steps=8, batch=6, warm_up=2, evaluate_every=4, save_every=0.0, validate_on=2)


def weights(run):
    return torch.load(run / "last.pt", weights_only=True)["average"]


def test_a_run_leaves_checkpoints_and_a_log(photographs_folder, tmp_path):
    best = train(photographs_folder, tmp_path / "run", config, tmp_path, small)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert best.exists()
    assert [line["step"] for line in lines] == [4, 8]
    assert {"ratio_filters", "ratio_statistics", "ratio_retouch", "untouched_levels", "worse"} <= set(lines[-1])
    assert lines[-1]["images"] == 48


def test_the_same_seed_trains_the_same_weights_also_when_stopped_half_way(photographs_folder, tmp_path, monkeypatch):
    train(photographs_folder, tmp_path / "whole", config, tmp_path, small)

    class Stopped(Exception):
        pass

    def stop_at_five(progress, chosen):
        if progress.step == 5 and not stopped:
            stopped.append(True)
            raise Stopped
        return rate_at(progress, chosen)

    stopped: list[bool] = []
    monkeypatch.setattr("harmonize_engine.training.parametric.rate_at", stop_at_five)
    with pytest.raises(Stopped):
        train(photographs_folder, tmp_path / "halves", config, tmp_path, small)
    train(photographs_folder, tmp_path / "halves", config, tmp_path, small)
    for name, value in weights(tmp_path / "whole").items():
        assert torch.equal(value, weights(tmp_path / "halves")[name]), name


def test_a_killed_run_goes_on_from_its_last_checkpoint(photographs_folder, tmp_path):
    run = tmp_path / "run"
    command = [sys.executable, "-W", "ignore", "-m", "harmonize_engine.training.parametric", photographs_folder, run]
    options = ["--batch", "2", "--save-every", "0", "--evaluate-every", "1000", "--validate-on", "1", "--steps"]
    root = Path(__file__).parents[3]
    first = subprocess.Popen([*command, *options, "100000"], cwd=root, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (run / "last.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    reached = torch.load(run / "last.pt", weights_only=True)["progress"]["step"]
    subprocess.run([*command, *options, str(reached + 2)], cwd=root, check=True, stderr=subprocess.DEVNULL)
    assert torch.load(run / "last.pt", weights_only=True)["progress"]["step"] == reached + 2


def test_the_learning_rate_warms_up_and_falls():
    rates = [rate_at(Progress(step), TrainingConfig(steps=1000, warm_up=100)) for step in (0, 50, 100, 500, 999)]
    assert rates[0] < rates[1] < rates[2] > rates[3] > rates[4] > 0


def test_the_objective_is_0_for_a_composite_that_already_fits():
    pictures, mask = torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32)
    identity = torch.linspace(0, 1, 33).expand(2, 3, 33)
    sure = torch.full((2, 1), 20.0)
    total, _, results = loss.objective(pictures, mask, pictures, identity, torch.ones(2, 1, 4, 4), sure)
    assert total == pytest.approx(0, abs=1e-6)
    assert results == pytest.approx(pictures, abs=1e-6)


def test_the_trainings_renderer_is_the_engines():
    from harmonize_engine import Curves, Harmonization, Shading
    from harmonize_engine.render import exact

    generator = torch.Generator().manual_seed(2)
    picture, mask = torch.rand((1, 3, 48, 64), generator=generator), torch.rand((1, 1, 48, 64), generator=generator)
    curves = torch.rand((1, 3, 33), generator=generator).sort(2).values
    gain = Shading(torch.rand((6, 8), generator=generator).numpy() + 0.5)
    ours = loss.render(picture, mask, curves, torch.from_numpy(gain.gain.copy()).float()[None, None])
    harmonization = Harmonization((Curves.uniform(curves[0].numpy()), gain), "test", "1")
    theirs = exact(picture[0].permute(1, 2, 0).numpy(), mask[0, 0].numpy(), harmonization)
    assert ours[0].permute(1, 2, 0).numpy() == pytest.approx(theirs, abs=1e-5)
