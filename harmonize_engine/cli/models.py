"""`harmonize models`: which models there are."""

import argparse
import json

from harmonize_engine.engine import default_model, models

summary = "list the models"


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def run(arguments: argparse.Namespace) -> None:
    """Do it. Raises HarmonizeError."""
    found = models()
    if arguments.json:
        print(json.dumps([vars(model) | {"default": model.name == default_model} for model in found], indent=1))
        return
    for model in found:
        default = " (default)" if model.name == default_model else ""
        print(f"{model.name} {model.version}{default}\n    {model.summary}")
        if model.weights_sha256 is not None:
            print(f"    weights SHA-256 {model.weights_sha256}")
