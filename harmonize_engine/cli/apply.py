"""`harmonize apply`: a composite, a cut-out on a picture, or a folder of composites."""

import argparse
import sys
from pathlib import Path
from time import perf_counter

from harmonize_engine import report
from harmonize_engine.cli import outputs, settings
from harmonize_engine.cli.account import tell
from harmonize_engine.cli.inputs import CutoutSources, Sources
from harmonize_engine.cli.outcome import Outcome
from harmonize_engine.cli.settings import Settings
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files import kinds
from harmonize_engine.placement import Placement

summary = "make the foreground of a picture belong, and write the picture and layered files"


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("composite", nargs="?", type=Path, metavar="COMPOSITE", help="a picture, or a folder of pictures")
    parser.add_argument("--mask", type=Path, help="white = foreground; of a folder: the folder of masks, matched by name")
    parser.add_argument("--background", type=Path, metavar="PLATE", help="the picture without the foreground")
    parser.add_argument("--reference", type=Path, metavar="MASK", help="which part of the background to match")
    settings.add_mask_options(parser)
    parser.add_argument("--allow-border", action="store_true", help="accept a mask that touches all four borders")
    parser.add_argument("--foreground", type=Path, metavar="CUTOUT", help="a cut-out to paste onto --background")
    parser.add_argument("--at", type=_point, metavar="X,Y", help="where its middle goes, in pixels (default: the middle)")
    parser.add_argument("--scale", type=float, metavar="S", help="enlarge the cut-out (default 1)")
    parser.add_argument("--model", default="parametric", metavar="NAME", help="see: harmonize models")
    settings.add_server(parser)
    settings.add_strengths(parser)
    parser.add_argument("--always", action="store_true", help="apply also where the model advises to leave it as it is")
    settings.add_limit(parser)
    settings.add_outputs(parser, required=False)
    parser.add_argument("--json", action="store_true", help="print the parameters, and nothing else")
    parser.add_argument("--report", type=Path, metavar="OUT", help="an .html page or .png sheet with everything on it")
    folders = parser.add_argument_group("for folders")
    folders.add_argument("--format", nargs="+", metavar="KIND", help="kinds of the results (default png)")
    folders.add_argument("--workers", type=int, metavar="N", help="pictures at a time (default: one per core, at most 8)")
    folders.add_argument("--again", action="store_true", help="make results again that are up to date")


def run(arguments: argparse.Namespace) -> None:
    """Do it. Raises HarmonizeError."""
    if arguments.composite is not None and arguments.composite.is_dir():
        from harmonize_engine.cli import apply_folder

        _refuse(arguments, ("foreground", "at", "scale", "report"), "a folder")
        apply_folder.run(arguments)
    else:
        _refuse(arguments, ("format", "workers", "again"), "a single picture")
        _run_one(arguments)


def _run_one(arguments: argparse.Namespace) -> None:
    from model_server import backends

    chosen = Settings.of(arguments)
    sources = _sources(arguments)
    if not (arguments.output or arguments.json or arguments.report):
        raise HarmonizeError("usage", "Nothing is to be written.", "Name a file with -o, or use --json or --report.")
    for path in arguments.output:
        kinds.writer(path)
    if arguments.report is not None:
        report.check_kind(arguments.report)
    outputs.check([*arguments.output, *filter(None, [arguments.report])], sources.paths)
    backend = backends.choose(arguments.server)
    outcome = Outcome.of(sources.read(chosen), chosen, backend)
    start = perf_counter()
    written = outcome.outputs(arguments.output)
    if arguments.report is not None:
        written.append(outcome.report(_name(arguments), arguments.report))
    outputs.write_all(written)
    if arguments.json:
        print(outcome.parameters)
        for note in outcome.inputs.notes:
            print(f"harmonize: note: {note}", file=sys.stderr)
    else:
        tell(outcome, backend.description, [output.path for output in written], 1000 * (perf_counter() - start))


def _sources(arguments: argparse.Namespace) -> Sources | CutoutSources:
    if arguments.foreground is None:
        _refuse(arguments, ("at", "scale"), "a composite")
        if arguments.composite is None or arguments.mask is None:
            raise HarmonizeError(
                "usage",
                "A composite and its mask are needed.",
                "Like: harmonize apply picture.png --mask mask.png -o out.png",
            )
        return Sources(arguments.composite, arguments.mask, arguments.background, arguments.reference)
    _refuse(arguments, ("composite", "mask", "invert_mask", "allow_border"), "a cut-out")
    if arguments.background is None:
        raise HarmonizeError("usage", "The picture to paste onto is missing.", "Name it with --background.")
    placement = Placement(arguments.at, 1.0 if arguments.scale is None else arguments.scale)
    return CutoutSources(arguments.foreground, arguments.background, placement, arguments.reference)


def _refuse(arguments: argparse.Namespace, names: tuple[str, ...], what: str) -> None:
    """Options that would be ignored are a misunderstanding."""
    for name in names:
        if getattr(arguments, name) not in (None, False):
            shown = name.upper() if name == "composite" else f"--{name.replace('_', '-')}"
            raise HarmonizeError("usage", f"{shown} does not go with {what}.", "See: harmonize apply --help")


def _name(arguments: argparse.Namespace) -> str:
    if arguments.foreground is None:
        return arguments.composite.name
    return f"{arguments.foreground.name} on {arguments.background.name}"


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = (float(number) for number in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form X,Y (write --at=-5,10 for negative ones)") from error
    return x, y
