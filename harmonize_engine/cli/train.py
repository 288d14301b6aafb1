"""`harmonize train`: trains a network on your photographs; needs PyTorch, nothing else here does."""

import argparse
from importlib.util import find_spec
from pathlib import Path

from harmonize_engine.cli.account import row
from harmonize_engine.errors import HarmonizeError

summary = "train a network on photographs with masks or on retouched pairs (needs PyTorch)"


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("method", choices=["parametric"], help="parametric: tone curves and a light map")
    parser.add_argument(
        "photographs",
        nargs="+",
        type=Path,
        metavar="PHOTOGRAPHS",
        help="folders with images/ and masks/ (or zips of them), before/, after/ and masks/, PIH's or iHarmony4's layout",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="folder for checkpoints and metrics; gone on with if there")
    parser.add_argument("--minutes", type=float, metavar="M", help="train for so long in all, stops not counted")
    parser.add_argument("--steps", type=int, metavar="N", help="train for so many steps in all")
    parser.add_argument("--config", metavar="NAME", help="which experiment (default); see docs/training.md")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", help="change a field of the experiment"
    )
    parser.add_argument(
        "--start", type=Path, metavar="WEIGHTS", help="begin with a checkpoint's weights, or an exported model's"
    )
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="where decoded photographs are kept (in the run)")


def run(arguments: argparse.Namespace) -> None:
    """Do it. Raises HarmonizeError."""
    if find_spec("torch") is None:
        raise HarmonizeError(
            "torch_missing",
            "Training needs PyTorch, which is not installed.",
            "Without a GPU install its CPU build first, then: pip install 'harmonize[train]' (docs/training.md).",
        )
    from harmonize_engine.training import config as experiments  # here, for PyTorch takes seconds to load
    from harmonize_engine.training import parametric

    config = experiments.chosen(arguments.run, arguments.config, arguments.set, arguments.steps, arguments.minutes)
    best = parametric.train(arguments.photographs, arguments.run, config, arguments.cache or arguments.run, arguments.start)
    row("best", str(best))
