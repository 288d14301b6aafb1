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
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from harmonize_engine.training.sources import Example, Source, examples
from harmonize_engine.window import around, margin

names = ("square", "landscape", "portrait")
Part = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the whole
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


def shape_of(width: float, height: float) -> str:
    """Name the shape that distorts a picture of this size least."""
    ratio = width / height
    return "landscape" if ratio > 1.14 else "portrait" if ratio < 0.88 else "square"


def load(
    folder: Path, split: str, cache: Path, side: int = 128, quiet: bool = True, window: float = 0.0
) -> list[Photographs]:
    """Load a split ('train' or 'val') of a folder, from the cache where the same files were decoded before.

    window: the share of what is kept that a foreground fills, 0 = all of the photograph is kept.
    Raises HarmonizeError `folder_missing`, `no_photographs` or `photograph_unreadable`.
    """
    source = Source(folder)
    found = examples(source, split)
    files = sorted((name, source.bytes_of(name)) for example in found for name in example.files)
    told = (side, str(folder.resolve()), files, *([window] if window else []))
    key = hashlib.sha256(repr(told).encode()).hexdigest()[:16]
    kept = cache / f"photographs-{split}-{key}"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(kept.with_suffix(".lock")):
            if not kept.exists():  # another training may have decoded them in the meantime
                _keep(kept, lambda into: _decode(source, found, into, side, quiet, window, split == "train"))
    return [_mapped(path, side) for path in sorted(kept.glob("*.npy"))]


def _keep(kept: Path, write: Callable[[Path], None]) -> None:
    """Write a folder; only a whole one gets its name."""
    partial = kept.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        write(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.replace(kept)


def _mapped(path: Path, side: int) -> Photographs:
    shape, _, kind = path.stem.partition("-")
    ids = tuple(json.loads(path.with_suffix(".json").read_text()))
    return Photographs(shape, kind, side, np.load(path, mmap_mode="r"), ids)


def _decode(source: Source, found: list[Example], into: Path, side: int, quiet: bool, window: float, loose: bool) -> None:
    groups: dict[tuple[str, str], list[tuple[Example, Part]]] = {}
    for example in found:
        part, kind = _part(source, example, window, loose), list(kinds)[len(example.files) - 2]
        width, height = _size(source, example.photograph)
        shape = shape_of((part[2] - part[0]) * width, (part[3] - part[1]) * height)
        groups.setdefault((shape, kind), []).append((example, part))
    with tqdm(total=len(found), desc="decoding", unit="photograph", disable=quiet or None, leave=False) as bar:
        for (shape, kind), group in groups.items():
            rows, columns = kept_shape(shape, side)
            name = into / f"{shape}-{kind}"
            pixels = np.lib.format.open_memmap(
                name.with_suffix(".npy"), "w+", np.uint8, (len(group), rows, columns, kinds[kind])
            )
            _each(lambda n, p=pixels, g=group: _fill(source, *g[n], p[n]), len(group), bar.update)
            pixels.flush()
            name.with_suffix(".json").write_text(json.dumps([example.id for example, _ in group]))


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


def _part(source: Source, example: Example, window: float, loose: bool) -> Part:
    """The part of a photograph that is kept: its window; a loose one has room to cut views from."""
    if not window:
        return 0.0, 0.0, 1.0, 1.0
    mask = _levels(np.asarray(source.read(example.mask).convert("L")))
    seen = around(
        mask.astype(np.float32) / np.float32(255), window * (0.6 if loose else 1.0), margin + (0.2 if loose else 0.0)
    )
    height, width = mask.shape
    return seen.left / width, seen.top / height, seen.right / width, seen.bottom / height


def _fill(source: Source, example: Example, part: Part, kept: NDArray[np.uint8]) -> None:
    """Decode one foreground: RGB, mask, and where there are, RGB before and RGB of the plate."""

    def resized(name: str, mode: str, filter: Image.Resampling) -> NDArray[np.uint8]:
        picture = source.read(name).convert(mode)
        wide, tall = picture.size
        box = part[0] * wide, part[1] * tall, part[2] * wide, part[3] * tall
        return np.asarray(picture.resize((kept.shape[1], kept.shape[0]), filter, box))

    matte = resized(example.mask, "L", Image.Resampling.BILINEAR)
    photograph, *others = (resized(name, "RGB", Image.Resampling.LANCZOS) for name in _pictures(example))
    kept[:] = np.dstack((photograph, _levels(matte), *others))


def _levels(matte: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return matte * np.uint8(255) if matte.max() == 1 else matte  # some sets store 0 and 1


def _pictures(example: Example) -> list[str]:
    return [name for name in (example.photograph, example.before, example.plate) if name is not None]
