"""Which suffix makes which file: the one table behind every output."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from harmonize_engine import pictures
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files.atomic import atomic
from harmonize_engine.files.layered import LayeredPicture


@dataclass(frozen=True)
class Kind:
    """One kind of file: what an artist gets, and the module under harmonize_engine.files that writes it."""

    what: str
    module: str | None = None  # None: written here


kinds = {
    ".kra": Kind("Krita document with editable layers", "kra"),
    ".xcf": Kind("GIMP document with editable layers", "xcf"),
    ".ora": Kind("OpenRaster document, colour and light baked into one layer", "ora"),
    ".cube": Kind("colour table for darktable, Resolve and OBS, without the light map", "cube"),
    ".gimpcurves": Kind("settings of GIMP's Curves dialog, without the light map", "gimp_curves"),
    ".acv": Kind("Photoshop curves, without the light map", "acv"),
    ".json": Kind("Harmonize parameters"),
    **{suffix: Kind("finished picture") for suffix in pictures.encoders},
}


def write(picture: LayeredPicture, path: Path, quality: int = 95, exif: bytes | None = None) -> None:
    """Write `path` as its suffix says; quality and exif are for finished pictures.

    Raises HarmonizeError `suffix_unknown`, and what the writer raises.
    """
    writer(path, quality, exif)(picture, path)


def writer(path: Path, quality: int = 95, exif: bytes | None = None) -> Callable[[LayeredPicture, Path], None]:
    """Find what writes `path`, before any work is done. Raises HarmonizeError `suffix_unknown`."""
    suffix = path.suffix.lower()
    kind = kinds.get(suffix)
    if kind is None:
        raise HarmonizeError(
            "suffix_unknown", f"{path.name} does not end in a suffix that Harmonize writes.", f"Use {' '.join(kinds)}."
        )
    if kind.module is not None:  # imported only now: most runs need one of them
        return import_module(f"harmonize_engine.files.{kind.module}").write
    if suffix == ".json":
        return _write_parameters

    def write_result(picture: LayeredPicture, path: Path) -> None:
        pictures.write(pictures.Picture(picture.result, picture.icc, exif, picture.dpi), path, quality)

    return write_result


def _write_parameters(picture: LayeredPicture, path: Path) -> None:
    parameters = picture.harmonization.blend(picture.color_strength, picture.light_strength)
    with atomic(path) as file:
        file.write(parameters.to_json(indent=1).encode("utf-8"))
