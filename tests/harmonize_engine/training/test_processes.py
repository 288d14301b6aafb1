"""Two processes of torchrun against one alone, on the processor (gloo)."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from harmonize_engine import HarmonizeError
from harmonize_engine.training.parametric import Training
from harmonize_engine.training.photographs import load
from harmonize_engine.training.processes import Processes

root = Path(__file__).parents[3]
cpu = torch.device("cpu")
script = """
import sys, torch
from pathlib import Path
from harmonize_engine.training import checkpoint, config
from harmonize_engine.training.parametric import Training
from harmonize_engine.training.photographs import load
from harmonize_engine.training.processes import joined

folder, cache, out = map(Path, sys.argv[1:])
chosen = config.read(checkpoint.load(out / "config.pt"))
with joined() as processes:
    run = Training(chosen, processes, load(folder, "train", cache, chosen.side))
    kept = {}
    average = processes.average_gradients
    def gradients(network, kind):
        whose = type(network).__name__
        return {f"{kind} {whose} {n}": p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}
    def remember(network):
        kept.update(gradients(network, "own"))
        average(network)
        kept.update(gradients(network, "mean"))
    object.__setattr__(processes, "average_gradients", remember)
    for step in range(2):
        run.step(0.0)
        torch.save(dict(kept), out / f"{processes.rank}-of-{processes.count}-{step}.pt")
    run.loader.close()
"""


def trained(command, folder, cache, out):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [*command, str(out / "script.py"), str(folder), str(cache), str(out)],
        cwd=root,
        env=environment,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module")
def gradients(photographs_folder, cache, small, tmp_path_factory):
    """The averaged gradients of the first two steps: of one process, and of both processes of two."""
    from harmonize_engine.training import checkpoint, config

    out = tmp_path_factory.mktemp("gradients")
    # without replayed results, which depend on running statistics that are each process's own; in full precision
    load(photographs_folder, "train", cache, small.side)
    checkpoint.save(
        out / "config.pt",
        config.describe(replace(small, accumulate=2, replayed=0.0, adversary_sees_all=True, bfloat16=False)),
    )
    (out / "script.py").write_text(script)
    trained([sys.executable, "-W", "ignore"], photographs_folder, cache, out)
    both = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    trained(both, photographs_folder, cache, out)
    return {path.stem: torch.load(path, weights_only=True) for path in out.glob("*-of-*.pt")}


def of_kind(kept, kind):
    return {name.removeprefix(kind): value for name, value in kept.items() if name.startswith(kind)}


def distance(ours, theirs, network):
    """How far a network's whole gradient is from another, as a share of its length."""
    names = [name for name in ours if network in name]
    assert len(names) >= 8
    first, second = (torch.cat([part[name].flatten() for name in names]) for part in (ours, theirs))
    return float((first - second).norm() / second.norm())


@pytest.mark.parametrize("step", range(2))
def test_two_processes_have_the_gradients_of_one_with_the_same_batches(gradients, step):
    alone, first, second = (gradients[f"{name}-{step}"] for name in ("0-of-1", "0-of-2", "1-of-2"))
    means = [of_kind(kept, "mean") for kept in (alone, first, second)]
    assert all(torch.equal(means[1][name], value) for name, value in means[2].items())
    # the spectral norms are estimated a little better with every look, and one process alone has looked twice as often
    for network in ("Parametric", "Discriminator"):
        apart, own = (distance(each, means[0], network) for each in (means[1], of_kind(first, "own")))
        assert apart < 1e-3 < 0.02 < own  # each had a gradient of its own before


def test_batches_that_cannot_be_shared_evenly_are_refused(photographs_folder, cache, small):
    with pytest.raises(HarmonizeError) as error:
        Training(small, Processes(0, 2, cpu), load(photographs_folder, "train", cache, small.side))
    assert error.value.code == "uneven_processes" and "accumulate=2" in error.value.hint
    assert list(Processes(1, 2, cpu).share_of(6)) == [1, 3, 5]
