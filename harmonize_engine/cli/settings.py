"""What shapes a result besides the pictures, and the options of the command line that set it."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.pictures import limit_megapixels


@dataclass(frozen=True)
class Settings:
    """How to treat every picture of a run. Raises HarmonizeError `bad_strength`, `bad_quality`, `bad_limit`."""

    model: str = "parametric"
    color_strength: float = 1.0
    light_strength: float = 1.0
    always: bool = False
    invert_mask: bool = False
    fit_mask: bool = False
    allow_border: bool = False
    max_megapixels: float = limit_megapixels
    quality: int = 95

    def __post_init__(self) -> None:
        Harmonization((), "", "").blend(self.color_strength, self.light_strength)
        if not 1 <= self.quality <= 100:
            raise HarmonizeError("bad_quality", f"The quality must lie between 1 and 100, not {self.quality}.")
        if not self.max_megapixels > 0:
            raise HarmonizeError("bad_limit", f"The limit of megapixels must lie above 0, not {self.max_megapixels:g}.")

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Settings":
        """Take what a verb's parser found; a verb need not have every option."""
        names = [name for name in cls.__dataclass_fields__ if hasattr(arguments, name)]
        return cls(**{name: getattr(arguments, name) for name in names})


def add_outputs(parser: argparse.ArgumentParser, required: bool) -> None:
    """Add -o and --quality."""
    parser.add_argument(
        "-o",
        "--output",
        nargs="+",
        action="extend",
        type=Path,
        default=[],
        required=required,
        metavar="OUT",
        help="files to write, kind by suffix: png jpg tif webp kra xcf ora cube gimpcurves acv json",
    )
    parser.add_argument("--quality", type=int, default=95, metavar="Q", help="of jpg and webp, 1..100 (default 95)")


def add_limit(parser: argparse.ArgumentParser) -> None:
    """Add --max-megapixels."""
    parser.add_argument(
        "--max-megapixels",
        type=float,
        default=limit_megapixels,
        metavar="N",
        help=f"refuse larger pictures (default {limit_megapixels})",
    )


def add_strengths(parser: argparse.ArgumentParser) -> None:
    """Add --color-strength and --light-strength."""
    for name, what in (("color", "tone curves and saturation"), ("light", "the light map")):
        parser.add_argument(
            f"--{name}-strength", type=float, default=1.0, metavar="S", help=f"weaken {what}, 0..1 (default 1)"
        )


def add_server(parser: argparse.ArgumentParser) -> None:
    """Add --server, for backends.choose."""
    parser.add_argument(
        "--server",
        default="in-process",
        metavar="WHO",
        help="who looks: in-process (default), auto (the server that runs, if one does), or a server's URL",
    )


def add_mask_options(parser: argparse.ArgumentParser) -> None:
    """Add --invert-mask and --fit-mask."""
    parser.add_argument("--invert-mask", action="store_true", help="black is the foreground")
    parser.add_argument("--fit-mask", action="store_true", help="resize a mask of another size to the picture's")
