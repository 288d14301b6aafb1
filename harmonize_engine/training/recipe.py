"""Make the shipped weights, from nothing: every run in order, the mean of both networks, its caution and its gate.

python -m harmonize_engine.training.recipe PHOTOGRAPHS INTO

Prints each command before it runs it. Start it again after any stop: runs that are done are passed over, one that was
stopped goes on. `--share 0.01` takes a hundredth of every run, `--processes 2` trains with two processes or GPUs.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

together = 64  # composites to a step


@dataclass(frozen=True)
class Run:
    """One run of training; it begins with the weights of the run `after`, or with nothing."""

    name: str
    config: str
    composites: int
    changes: str
    after: str = ""


_batches = "batch=32 accumulate=2 "
_later = _batches + "warm_up=100 supervised=1 adversarial=0 squared=20 harm=0.7 trust_from=0.1 untouched=[0.18,0.18] "
_small = _later + "relative=0.5 lit=0.5 "
_large = _later + "relative=1 least=0.5 turn=12 "
_own_slower = "network.trust=false learning_rate=6e-4 lit=0.5 "
_own = "network.trust=false learning_rate=7e-4 "
runs = (
    Run("far", "plain", 527_616, _batches + "window=0"),
    Run("near", "scratch", 220_224, _small + _own, "far"),
    Run("longer", "scratch", 325_312, _small + _own + "least=0.55 turn=10", "near"),
    Run("longest", "scratch", 609_472, _small + _own + "least=0.55 turn=10 seed=3", "longer"),
    Run("larger", "scratch", 215_808, _large + _own_slower + "side=160 seed=4", "longest"),
    Run("largest", "scratch", 191_808, _large + _own_slower + "side=176 seed=8 magnitude=[1.25,1.25]", "larger"),
    Run("first", "default", 236_800, _batches + "window=0 backbone_rate=0.25"),
    Run("second", "default", 128_000, _small + "window=0 backbone_rate=0.4 learning_rate=4e-4", "first"),
    Run(
        "third",
        "default",
        157_184,
        _large
        + "side=160 backbone_rate=0.15 learning_rate=5e-4 lit=0.7 paired=0.3 network.dropout=0.2 weight_decay=0.05 seed=6",
        "second",
    ),
)
averaged = ("third", "largest")
exported = ("--half", "--window", "0.8", "--side", "176")


def commands(photographs: Sequence[Path], into: Path, share: float = 1.0, processes: int = 1) -> list[list[str]]:
    """Say what to run, in order; the first of the photographs also choose caution and gate."""
    found: list[list[str]] = []
    for run in runs:
        steps = max(1, round(share * run.composites / together))
        found.append(
            [
                *_launched(processes),
                *("train", "parametric", *map(str, photographs), str(into / run.name), "--config", run.config),
                *("--cache", str(into / "cache"), "--steps", str(steps), "--set", *run.changes.split()),
                *(("--start", str(into / run.after / "last.pt")) if run.after else ()),
            ]
        )
    weights, checkpoints = into / "weights", [str(into / name / "last.pt") for name in averaged]
    card = str(weights / "parametric.json")
    tool = [sys.executable, "-m"]
    return [
        *found,
        [*tool, "harmonize_engine.training.export", *checkpoints, *exported, "--into", str(weights)],
        [*tool, "harmonize_engine.evaluation.caution", str(photographs[0]), card],
        [*tool, "harmonize_engine.evaluation.calibration", str(photographs[0]), card],
    ]


def _launched(processes: int) -> list[str]:
    harmonize = "harmonize_engine.cli.main"
    if processes == 1:
        return [sys.executable, "-m", harmonize]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [sys.executable, *torchrun, "-m", "--", harmonize]


def main() -> int:
    """Run all of it; the exit status of the first command that fails."""
    parser = argparse.ArgumentParser(description="Make the shipped weights from nothing.")
    parser.add_argument("photographs", type=Path, nargs="+", help="the first ones also choose caution and gate")
    parser.add_argument("into", type=Path, help="folder for the runs and, in weights/, what comes of them")
    parser.add_argument("--share", type=float, default=1.0, help="of every run that is trained (1)")
    parser.add_argument("--processes", type=int, default=1, help="that train together (1); `accumulate` shares 2 at most")
    chosen = parser.parse_args()
    for command in commands(chosen.photographs, chosen.into, chosen.share, chosen.processes):
        print("$", *command, flush=True)
        status = subprocess.run(command).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
