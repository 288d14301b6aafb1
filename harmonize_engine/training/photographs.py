"""Photographs with a foreground, decoded once and kept by shape: training reads them as fast as memory.

The cache is one array per shape and kind, mapped and not read: it starts at once, several processes share its pages, and it
may be larger than memory.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from harmonize_engine.training.sources import Example, Source, examples

names = ("square", "landscape", "portrait")
kinds = {  # what is kept of a foreground, and in how many channels
    "photograph": 4,  # RGB, mask
    "pair": 7,  # and the version before it
    "pair with plate": 10,  # and the photograph without its foreground
}


def input_shape(name: str, side: int) -> tuple[int, int]:
    """Rows and columns that the network sees: multiples of 16, an area of about side x side."""
    short, long = (16 * round(side * part / 128) for part in (7, 9))
    return {"square": (side, side), "landscape": (short, long), "portrait": (long, short)}[name]


def kept_shape(name: str, side: int) -> tuple[int, int]:
    """Rows and columns as kept: three eighths more, so that parts can be cut out."""
    square, short, long = (round(side * part / 16) for part in (22, 19, 25))
    return {"square": (square, square), "landscape": (short, long), "portrait": (long, short)}[name]


@dataclass(frozen=True, eq=False)
class Photographs:
    """Foregrounds of one shape and kind: uint8 (N, H, W, channels) and their ids. side: of the input they are kept for."""

    shape: str
    kind: str
    side: int
    pixels: NDArray[np.uint8]
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the network's input."""
        return input_shape(self.shape, self.side)

    def read(self, rows: Tensor) -> Tensor:
        """Read some, as they are kept: uint8 (n, H, W, channels)."""
        order = np.sort(rows.numpy())  # mapped pages are best read in their order
        return torch.from_numpy(np.array(self.pixels[order]))  # a copy: mapped pages cannot be written to


def unpacked(pixels: Tensor) -> Tensor:
    """Turn what was read into display-encoded planes (n, channels, H, W) in [0,1]."""
    return pixels.permute(0, 3, 1, 2).float().div_(255).contiguous()


def shape_of(width: int, height: int) -> str:
    """Name the shape that distorts a picture of this size least."""
    ratio = width / height
    return "landscape" if ratio > 1.14 else "portrait" if ratio < 0.88 else "square"


def load(folder: Path, split: str, cache: Path, side: int = 128, quiet: bool = True) -> list[Photographs]:
    """Load a split ('train' or 'val') of a folder, from the cache where the same files were decoded before.

    Raises HarmonizeError `folder_missing`, `no_photographs` or `photograph_unreadable`.
    """
    source = Source(folder)
    found = examples(source, split)
    files = sorted((name, source.bytes_of(name)) for example in found for name in example.files)
    key = hashlib.sha256(repr((side, str(folder.resolve()), files)).encode()).hexdigest()[:16]
    kept = cache / f"photographs-{split}-{key}"
    if not kept.exists():
        partial = kept.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            _decode(source, found, partial, side, quiet)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        partial.replace(kept)
    return [_mapped(path, side) for path in sorted(kept.glob("*.npy"))]


def _mapped(path: Path, side: int) -> Photographs:
    shape, _, kind = path.stem.partition("-")
    ids = tuple(json.loads(path.with_suffix(".json").read_text()))
    return Photographs(shape, kind, side, np.load(path, mmap_mode="r"), ids)


def _decode(source: Source, found: list[Example], into: Path, side: int, quiet: bool) -> None:
    groups: dict[tuple[str, str], list[Example]] = {}
    for example in found:
        kind = list(kinds)[len(example.files) - 2]
        groups.setdefault((shape_of(*_size(source, example.photograph)), kind), []).append(example)
    with tqdm(total=len(found), desc="decoding", unit="photograph", disable=quiet or None, leave=False) as bar:
        for (shape, kind), group in groups.items():
            rows, columns = kept_shape(shape, side)
            name = into / f"{shape}-{kind}"
            pixels = np.lib.format.open_memmap(
                name.with_suffix(".npy"), "w+", np.uint8, (len(group), rows, columns, kinds[kind])
            )
            _each(lambda n, p=pixels, g=group: _fill(source, g[n], p[n]), len(group), bar.update)
            pixels.flush()
            name.with_suffix(".json").write_text(json.dumps([example.id for example in group]))


def _each(work: Callable[[int], None], count: int, done: Callable[[], object]) -> None:
    with ThreadPoolExecutor() as threads:  # decoding and resizing run without Python's lock
        for _ in threads.map(work, range(count)):
            done()


def _size(source: Source, name: str) -> tuple[int, int]:
    try:
        with source.open(name) as picture:
            return picture.size
    except OSError:
        return source.read(name).size  # says what is wrong with it


def _fill(source: Source, example: Example, kept: NDArray[np.uint8]) -> None:
    """Decode one foreground: RGB, mask, and where there are, RGB before and RGB of the plate."""
    size = (kept.shape[1], kept.shape[0])
    matte = source.read(example.mask).convert("L").resize(size, Image.Resampling.BILINEAR)
    planes = [
        np.asarray(source.read(name).convert("RGB").resize(size, Image.Resampling.LANCZOS)) for name in _pictures(example)
    ]
    levels = np.asarray(matte)
    levels = levels * np.uint8(255) if levels.max() == 1 else levels  # some sets store 0 and 1
    kept[:] = np.dstack((planes[0], levels, *planes[1:]))


def _pictures(example: Example) -> list[str]:
    return [name for name in (example.photograph, example.before, example.plate) if name is not None]
