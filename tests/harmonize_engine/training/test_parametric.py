import json
import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from harmonize_engine import HarmonizeError
from harmonize_engine.training import checkpoint, config
from harmonize_engine.training.parametric import Training, rate_at, train
from harmonize_engine.training.photographs import load
from harmonize_engine.training.processes import Processes

root = Path(__file__).parents[3]
alone = Processes(0, 1, torch.device("cpu"))


def lines(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def losses(run):
    """What a run learned at each step, without what depends on the clock."""
    return [
        {name: value for name, value in line.items() if name != "minutes" and not name.endswith("per_second")}
        for line in lines(run)
    ]


def test_a_run_leaves_checkpoints_a_log_and_a_drawing(photographs_folder, cache, tmp_path, small):
    best = train([photographs_folder], tmp_path, small, cache)
    judged = [line for line in lines(tmp_path) if "score" in line]
    assert best.exists() and (tmp_path / "last.pt").exists()
    assert [line["step"] for line in judged] == [4, 8]
    assert judged[-1]["images"] == 48
    told = {"ratio_filters", "ratio_statistics", "ratio_retouch", "ratio_darkroom", "ratio_curves_only", "ratio_mild"}
    assert told | {"untouched_levels", "worse"} <= set(judged[-1])
    speeds = {"loading_images_per_second", "synthesis_images_per_second", "step_images_per_second"}
    assert speeds <= set(lines(tmp_path)[0])
    drawing = (tmp_path / "metrics.svg").read_text()
    assert "ratio darkroom" in drawing and "belief in results" in drawing and drawing.count("<polyline") > 6


def test_both_streams_take_turns_and_each_tells_its_own_losses(photographs_folder, cache, tmp_path, small):
    train([photographs_folder], tmp_path, replace(small, steps=10, evaluate_every=100), cache)
    steps = [line for line in lines(tmp_path) if "score" not in line]
    supervised = [line for line in steps if "error" in line]
    real = [line for line in steps if "opinion" in line]
    assert supervised and real and len(supervised) + len(real) == len(steps)
    assert all(0 < line["belief in results"] < 1 for line in real)


def test_retouched_pairs_from_disk_train_alongside_photographs(photographs_folder, cache, tmp_path, small):
    pairs = tmp_path / "pairs"
    for part, source in (("before", "images"), ("after", "images"), ("masks", "masks")):
        (pairs / part).mkdir(parents=True)
        for path in sorted((photographs_folder / source).glob("*"))[::2]:
            if part == "before":
                Image.open(path).point(lambda level: level // 2).save(pairs / part / path.name)
            else:
                (pairs / part / path.name).symlink_to(path)
    train([photographs_folder, pairs], tmp_path / "run", replace(small, steps=6, evaluate_every=6), cache)
    judged = lines(tmp_path / "run")[-1]
    assert {"ratio_filters", "ratio_pairs", "untouched_levels"} <= set(judged)


def training(folder, cache, chosen):
    return Training(chosen, alone, load(folder, "train", cache, chosen.side))


def test_an_unsupervised_step_moves_both_networks_but_not_the_harmony_head(photographs_folder, cache, small):
    run = training(photographs_folder, cache, replace(small, supervised=0.0, weight_decay=0.0))
    before, judge = run.network.harmony.weight.clone(), run.adversary.network.last.weight.clone()
    run.step(0.0)
    run.step(0.1)
    assert torch.equal(run.network.harmony.weight, before)
    assert not torch.equal(run.adversary.network.last.weight, judge)
    assert run.network.curves.weight.abs().max() > 0


def test_repeated_steps_learn(photographs_folder, cache, small):
    """Forty steps on a handful of photographs already bring the error down."""
    chosen = replace(small, supervised=1.0, adversarial=0.0, untouched=(0.0, 0.0), learning_rate=3e-3, steps=40)
    run = training(photographs_folder, cache, chosen)
    errors = []
    for number in range(40):
        run.step(number / 40)
        errors.append(run.meter.report()["error"])
    assert sum(errors[-12:]) < 0.9 * sum(errors[:12])


def test_a_run_killed_with_9_goes_on_to_the_same_losses_and_weights(photographs_folder, cache, tmp_path, small):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    steps = ["--steps", "12"]
    fields = ["network.hidden=32", "network.widths=[8,8,12,16]", "network.blocks=[0,0,0,1]", "discriminator.width=4"]
    fields += ["side=64", "batch=4", "log_every=1", "evaluate_every=6", "save_every=0", "validate_on=1"]
    command = [sys.executable, "-W", "ignore", "-m", "harmonize_engine.cli.main", "train", "parametric"]
    command += [str(photographs_folder)]

    def start(run, *more):
        options = [*steps, "--cache", str(cache), *more]
        return subprocess.Popen([*command, str(run), *options], cwd=root, stdout=subprocess.PIPE, env=one_thread())

    first = start(killed, "--config", "scratch", "--set", *fields)
    wait_for(lambda: (killed / "last.pt").exists() or first.poll() is not None)
    first.kill()  # that is SIGKILL, kill -9
    first.communicate()
    reached = checkpoint.load(killed / "last.pt")["progress"]["step"]
    with (killed / "metrics.jsonl").open("a") as log:  # it may have written more than it saved, and half a line
        log.write(json.dumps({"step": reached + 1, "error": -1.0}) + '\n{"step": 9')
    for run, more in ((killed, []), (whole, ["--config", "scratch", "--set", *fields])):
        finished = start(run, *more)
        finished.communicate()
        assert finished.returncode == 0
    assert 0 < reached < 12
    assert losses(killed) == losses(whole)
    ours, theirs = (checkpoint.load(run / "last.pt") for run in (killed, whole))
    for part in ("network", "average", "discriminator"):
        assert all(torch.equal(value, theirs[part][name]) for name, value in ours[part].items())


def one_thread():
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_run_is_not_gone_on_with_under_another_configuration(photographs_folder, cache, tmp_path, small):
    train([photographs_folder], tmp_path, replace(small, steps=1), cache)
    with pytest.raises(HarmonizeError) as error:
        train([photographs_folder], tmp_path, replace(small, steps=2, learning_rate=1.0), cache)
    assert error.value.code == "run_differs" and "learning_rate" in error.value.message
    kept = config.chosen(tmp_path, None, [], 5, None)
    assert kept == replace(small, steps=5)


def test_a_run_can_begin_with_anothers_weights(photographs_folder, cache, tmp_path, small):
    run = training(photographs_folder, cache, small)
    run.step(0.0)
    checkpoint.save(tmp_path / "first.pt", run.state())
    larger = replace(small, network=replace(small.network, hidden=48))
    fresh = training(photographs_folder, cache, larger)
    fresh.begin_with(tmp_path / "first.pt")
    assert torch.equal(fresh.network.light_deep.weight, run.kept.light_deep.weight)
    assert fresh.network.harmony.weight.shape[1] == 48


def test_a_broken_checkpoint_is_said_to_be_one(photographs_folder, cache, tmp_path, small):
    (tmp_path / "last.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(HarmonizeError) as error:
        train([photographs_folder], tmp_path, small, cache)
    assert error.value.code == "checkpoint_unreadable"


def test_the_learning_rate_warms_up_and_falls():
    chosen = config.TrainingConfig(warm_up=100)
    rates = [rate_at(step, step / 1000, 0, chosen) for step in (0, 50, 100, 500, 999)]
    assert rates[0] < rates[1] < rates[2] > rates[3] > rates[4] > 0


def test_the_papers_rate_halves_at_its_epochs():
    paper = config.experiments["pih"][1]
    assert [rate_at(9, 0, epochs, paper) for epochs in (19.9, 20, 40, 60)] == [1, 0.5, 0.25, 0.125]
    assert paper.clip == math.inf
