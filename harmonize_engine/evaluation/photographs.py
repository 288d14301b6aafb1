"""Photographs with a foreground mask, as files.

A source is a folder that holds `images/` and `masks/` (a mask is called as its photograph, or by `index.csv`), zips of that
layout, or both. Where `index.csv` has a column `split`, it decides what trains and what validates; elsewhere every
sixteenth photograph, by the hash of its name, is kept for validation.

What validates is halved: `calibration`, on which a model's gate is fitted, and `test`, by which it is judged. All
foregrounds of a photograph or video (the column `group`) are in one half.
"""

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from harmonize_engine.errors import HarmonizeError

suffixes = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
splits = ("train", "val", "calibration", "test")
seed = 2026


@dataclass(frozen=True)
class Pair:
    """A foreground: its id, its photograph's and mask's paths inside the source, and the photograph or video it is of."""

    id: str
    image: str
    mask: str
    group: str


class Source:
    """The files of a folder or of its zips, by their path inside it."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise HarmonizeError("folder_missing", f"There is no folder {folder}.", "Check its name.")
        self.folder = folder
        self._zips = [zipfile.ZipFile(path) for path in sorted(folder.glob("*.zip"))]
        self._members = {name: archive for archive in self._zips for name in archive.namelist()}

    def names(self, under: str) -> list[str]:
        """List the pictures in a folder of the source, zipped or not."""
        loose = [f"{under}/{path.name}" for path in sorted((self.folder / under).glob("*"))]
        zipped = [name for name in self._members if name.startswith(under + "/")]
        return [name for name in loose + zipped if name.lower().endswith(suffixes)]

    def bytes_of(self, name: str) -> int:
        """How large a file is."""
        archive = self._members.get(name)
        return archive.getinfo(name).file_size if archive else (self.folder / name).stat().st_size

    def content(self, name: str) -> bytes:
        """Read one file."""
        archive = self._members.get(name)
        return archive.read(name) if archive else (self.folder / name).read_bytes()

    def open(self, name: str) -> Image.Image:
        """Open one picture; its pixels are decoded when they are asked for."""
        archive = self._members.get(name)
        return Image.open(io.BytesIO(archive.read(name)) if archive else self.folder / name)

    def read(self, name: str) -> Image.Image:
        """Decode one picture. Raises HarmonizeError `photograph_unreadable`."""
        try:
            with self.open(name) as picture:
                picture.load()
            return picture
        except (OSError, ValueError, zipfile.BadZipFile, Image.DecompressionBombError) as error:
            message = f"{name} in {self.folder} cannot be read as a picture."
            raise HarmonizeError("photograph_unreadable", message, "Repair or remove it.") from error

    def pairs(self, split: str) -> Iterator[Pair]:
        """Name the foregrounds that belong to one of `splits`."""
        if split in ("calibration", "test"):
            halves = _halved(list(self.pairs("val")))
            yield from halves[split == "test"]
            return
        photographs = {Path(name).stem: name for name in self.names("images")}
        masks = {Path(name).stem: name for name in self.names("masks")}
        index = self.folder / "index.csv"
        if index.exists():
            with index.open(newline="") as lines:
                for row in csv.DictReader(lines):
                    if row["split"] == split and row["id"] in masks and row["image"] in photographs:
                        group = row.get("group") or row["image"]
                        yield Pair(row["id"], photographs[row["image"]], masks[row["id"]], group)
            return
        for stem, mask in masks.items():
            if stem in photographs and is_held_out(stem) == (split == "val"):
                yield Pair(stem, photographs[stem], mask, stem)


def is_held_out(name: str) -> bool:
    """Whether a photograph validates where no index says: every sixteenth does, by the hash of its name."""
    return hashlib.sha256(name.encode()).digest()[0] < 16


def rank(pair: Pair) -> bytes:
    """By what foregrounds are put in their order: a hash, so that the first n are a fair sample and never change."""
    return hashlib.sha256(f"{seed}/{pair.id}".encode()).digest()


def _halved(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Calibration and test: a group tests if the first of its foregrounds is in the lower half of all ranks.

    So the test half begins, in the order of ranks, as all validation photographs do.
    """
    first: dict[str, bytes] = {}
    for pair in pairs:
        first[pair.group] = min(rank(pair), first.get(pair.group, b"\xff"))
    halves: tuple[list[Pair], list[Pair]] = ([], [])
    for pair in pairs:
        halves[first[pair.group][0] < 128].append(pair)
    return halves


@cache
def opened(folder: Path) -> Source:
    """Open a source once in each process. Raises HarmonizeError `folder_missing` or `file_unreadable`."""
    try:
        return Source(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise HarmonizeError("file_unreadable", f"{folder} cannot be read: {error}.", "Check its zips.") from error
