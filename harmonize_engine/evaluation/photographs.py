"""Photographs with a foreground mask, as files.

A source is a folder that holds `images/` and `masks/` (a mask is called as its photograph, or by `index.csv`), zips of that
layout, or both. Where `index.csv` has a column `split`, it decides what trains and what validates; elsewhere every
sixteenth photograph, by the hash of its name, is kept for validation.
"""

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from harmonize_engine.errors import HarmonizeError

suffixes = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Pair:
    """A foreground: its id, its photograph and its mask, by their path inside the source."""

    id: str
    image: str
    mask: str


class Source:
    """The files of a folder or of its zips, by their path inside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._zips = [zipfile.ZipFile(path) for path in sorted(folder.glob("*.zip"))]
        self._members = {name: archive for archive in self._zips for name in archive.namelist()}

    def names(self, under: str) -> list[str]:
        """List the pictures below `images` or `masks`, zipped or not."""
        loose = [f"{under}/{path.name}" for path in sorted((self.folder / under).glob("*"))]
        zipped = [name for name in self._members if name.startswith(under + "/")]
        return [name for name in loose + zipped if name.lower().endswith(suffixes)]

    def content(self, name: str) -> bytes:
        """Read one file."""
        archive = self._members.get(name)
        return archive.read(name) if archive else (self.folder / name).read_bytes()

    def read(self, name: str) -> Image.Image:
        """Decode one picture."""
        return Image.open(io.BytesIO(self.content(name)))

    def pairs(self, split: str) -> Iterator[Pair]:
        """Name each mask's id, photograph and mask file that belong to a split, 'train' or 'val'."""
        photographs = {Path(name).stem: name for name in self.names("images")}
        masks = {Path(name).stem: name for name in self.names("masks")}
        index = self.folder / "index.csv"
        if index.exists():
            with index.open(newline="") as lines:
                for row in csv.DictReader(lines):
                    if row["split"] == split and row["id"] in masks and row["image"] in photographs:
                        yield Pair(row["id"], photographs[row["image"]], masks[row["id"]])
            return
        for stem, mask in masks.items():
            if stem in photographs and _is_held_out(stem) == (split == "val"):
                yield Pair(stem, photographs[stem], mask)


def _is_held_out(stem: str) -> bool:
    return hashlib.sha256(stem.encode()).digest()[0] < 16


@cache
def opened(folder: Path) -> Source:
    """Open a source once in each process. Raises HarmonizeError `file_unreadable`."""
    try:
        return Source(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise HarmonizeError("file_unreadable", f"{folder} cannot be read: {error}.", "Check its zips.") from error
