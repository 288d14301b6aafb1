"""`harmonize render`: apply parameters that were saved before."""

import argparse
from pathlib import Path

import numpy as np

from harmonize_engine.cli import outputs, settings
from harmonize_engine.cli.account import row, tell_notes
from harmonize_engine.cli.inputs import Inputs, read_mask, read_picture
from harmonize_engine.cli.outcome import Outcome, rendered
from harmonize_engine.cli.settings import Settings
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files import kinds
from harmonize_engine.harmonization import Harmonization

summary = "apply saved parameters to a picture"
most_bytes = 16 << 20  # of a file of parameters; a large one has 1 MB


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("parameters", type=Path, metavar="PARAMS.json", help="as `harmonize apply` writes them")
    parser.add_argument("image", type=Path, metavar="IMAGE", help="the picture")
    parser.add_argument("--mask", type=Path, help="white = foreground (default: the whole picture)")
    settings.add_mask_options(parser)
    settings.add_strengths(parser)
    settings.add_limit(parser)
    settings.add_outputs(parser, required=True)


def run(arguments: argparse.Namespace) -> None:
    """Do it. Raises HarmonizeError."""
    chosen = Settings.of(arguments)
    for path in arguments.output:
        kinds.writer(path)
    sources = [arguments.parameters, arguments.image, *filter(None, [arguments.mask])]
    outputs.check(arguments.output, sources)
    harmonization = read_parameters(arguments.parameters)
    notes: list[str] = []
    picture = read_picture(arguments.image, chosen, notes)
    shape = picture.pixels.shape[:2]
    mask = np.full(shape, 255, np.uint8)
    if arguments.mask is not None:
        mask = read_mask(arguments.mask, shape, chosen, notes)
    inputs = Inputs(picture, picture.pixels, mask, notes=tuple(notes))
    outcome = Outcome(inputs, chosen, harmonization, rendered(inputs, harmonization, chosen))
    outputs.write_all(outcome.outputs(arguments.output))
    row("model", f"{harmonization.model} {harmonization.version}")
    row("wrote", ", ".join(map(str, arguments.output)))
    tell_notes(notes)


def read_parameters(path: Path) -> Harmonization:
    """Read a file of parameters. Raises HarmonizeError `file_missing`, `file_unreadable`, `bad_parameters`."""
    try:
        with path.open("rb") as file:
            text = file.read(most_bytes)
    except FileNotFoundError as error:
        raise HarmonizeError("file_missing", f"There is no file {path}.", "Check its name and folder.") from error
    except OSError as error:
        raise HarmonizeError(
            "file_unreadable", f"{path} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    return Harmonization.from_json(text)
