"""`harmonize fit`: what any tool made of a foreground, as editable layers."""

import argparse
from pathlib import Path
from time import perf_counter

from harmonize_engine.cli import outputs, settings
from harmonize_engine.cli.account import row, tell_notes
from harmonize_engine.cli.inputs import Inputs, read_mask, read_picture
from harmonize_engine.cli.outcome import Outcome, rendered
from harmonize_engine.cli.settings import Settings
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files import kinds
from harmonize_engine.fit import fit

summary = "express the change between two pictures as tone curves and a light map"
judgements = (
    (1.0, "curves and light say it all"),
    (3.0, "very close; the difference is hard to see"),
    (8.0, "close; some of it cannot be said with curves and light"),
)


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("before", type=Path, metavar="BEFORE", help="the composite")
    parser.add_argument("after", type=Path, metavar="AFTER", help="what another tool made of it")
    parser.add_argument("--mask", type=Path, required=True, help="white = where it was changed")
    settings.add_mask_options(parser)
    settings.add_strengths(parser)
    settings.add_limit(parser)
    settings.add_outputs(parser, required=True)


def run(arguments: argparse.Namespace) -> None:
    """Do it. Raises HarmonizeError."""
    chosen = Settings.of(arguments)
    for path in arguments.output:
        kinds.writer(path)
    outputs.check(arguments.output, [arguments.before, arguments.after, arguments.mask])
    notes: list[str] = []
    before = read_picture(arguments.before, chosen, notes)
    after = read_picture(arguments.after, chosen, notes)
    if after.pixels.shape[:2] != before.pixels.shape[:2]:
        sizes = [f"{picture.pixels.shape[1]}x{picture.pixels.shape[0]}" for picture in (after, before)]
        raise HarmonizeError(
            "after_size", f"AFTER is {sizes[0]} pixels, BEFORE {sizes[1]}.", "Give two pictures of one size."
        )
    mask = read_mask(arguments.mask, before.pixels.shape, chosen, notes)
    inputs = Inputs(before, before.pixels, mask, notes=tuple(notes))
    start = perf_counter()
    harmonization = fit(before.pixels, after.pixels, mask)
    milliseconds = 1000 * (perf_counter() - start)
    outcome = Outcome(inputs, chosen, harmonization, rendered(inputs, harmonization, chosen))
    outputs.write_all(outcome.outputs(arguments.output))
    assert harmonization.residual is not None
    row("residual", f"{harmonization.residual:.2f} of 255 levels: {judgement(harmonization.residual)}")
    row("wrote", ", ".join(map(str, arguments.output)))
    row("time", f"{milliseconds:.0f} ms fitting")
    tell_notes(notes)


def judgement(residual: float) -> str:
    """Say what a residual, in 8-bit levels, means."""
    far = "far off; that tool did more than curves and light can"
    return next((words for limit, words in judgements if residual < limit), far)
