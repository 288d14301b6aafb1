"""Photographs with a foreground mask, decoded once and kept by shape, ready for training.

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
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from harmonize_engine.errors import HarmonizeError

shapes = {"square": (176, 176), "landscape": (152, 200), "portrait": (200, 152)}  # rows, columns as kept
input_shapes = {
    "square": (128, 128),
    "landscape": (112, 144),
    "portrait": (144, 112),
}  # as the network sees them
suffixes = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Photographs:
    """Photographs of one shape: RGB and mask as uint8 (N, H, W, 4), and the mask ids."""

    shape: str
    pixels: np.ndarray
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Read display-encoded images (N, 3, H, W) and masks (N, 1, H, W), both in [0,1], at the size as kept."""
        pixels = torch.from_numpy(self.pixels[rows.numpy()]).permute(0, 3, 1, 2).float() / 255
        return pixels[:, :3], pixels[:, 3:]


class Source:
    """The files of a folder or of its zips, by their path inside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.zips = [zipfile.ZipFile(path) for path in sorted(folder.glob("*.zip"))]
        self.members = {name: archive for archive in self.zips for name in archive.namelist()}

    def names(self, under: str) -> list[str]:
        """List the pictures below `images` or `masks`, zipped or not."""
        loose = [f"{under}/{path.name}" for path in sorted((self.folder / under).glob("*"))]
        zipped = [name for name in self.members if name.startswith(under + "/")]
        return [name for name in loose + zipped if name.lower().endswith(suffixes)]

    def read(self, name: str) -> Image.Image:
        """Decode one picture."""
        archive = self.members.get(name)
        content = archive.read(name) if archive else (self.folder / name).read_bytes()
        return Image.open(io.BytesIO(content))


def pairs(source: Source, split: str) -> Iterator[tuple[str, str, str]]:
    """Name each mask's id, photograph and mask file that belong to a split."""
    photographs = {Path(name).stem: name for name in source.names("images")}
    masks = {Path(name).stem: name for name in source.names("masks")}
    index = source.folder / "index.csv"
    if index.exists():
        with index.open(newline="") as lines:
            for row in csv.DictReader(lines):
                if row["split"] == split and row["id"] in masks and row["image"] in photographs:
                    yield row["id"], photographs[row["image"]], masks[row["id"]]
        return
    for stem, mask in masks.items():
        if stem in photographs:
            held_out = hashlib.sha256(stem.encode()).digest()[0] < 16
            if held_out == (split == "val"):
                yield stem, photographs[stem], mask


def shape_of(width: int, height: int) -> str:
    """Name the shape that distorts a picture of this size least."""
    ratio = width / height
    return "landscape" if ratio > 1.14 else "portrait" if ratio < 0.88 else "square"


def load(folder: Path, split: str, cache: Path) -> dict[str, Photographs]:
    """Load a split ('train' or 'val') by shape, from the cache where the same files were decoded before.

    Raises HarmonizeError `no_photographs` where the folder holds no pair of photograph and mask.
    """
    source = Source(folder)
    found = list(pairs(source, split))
    if not found:
        raise HarmonizeError(
            "no_photographs",
            f"No photograph with a mask was found for {split} in {folder}.",
            "Put images/ and masks/ there.",
        )
    key = hashlib.sha256(repr((sorted(found), shapes)).encode()).hexdigest()[:16]
    kept = cache / f"photographs-{split}-{key}.npz"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial.npz")
        np.savez(partial, allow_pickle=False, **_decode(source, found))
        partial.replace(kept)
    stored = np.load(kept)
    return {
        shape: Photographs(shape, stored[f"{shape}_pixels"], tuple(stored[f"{shape}_ids"]))
        for shape in shapes
        if len(stored[f"{shape}_ids"])
    }


def _decode(source: Source, found_pairs: list[tuple[str, str, str]]) -> dict[str, np.ndarray]:
    found: dict[str, list[tuple[np.ndarray, str]]] = {shape: [] for shape in shapes}
    for name, photograph, mask in found_pairs:
        image = source.read(photograph).convert("RGB")
        shape = shape_of(*image.size)
        height, width = shapes[shape]
        size = (width, height)
        matte = source.read(mask).convert("L").resize(size, Image.Resampling.BILINEAR)
        rgb = image.resize(size, Image.Resampling.LANCZOS)
        found[shape].append((np.dstack((np.asarray(rgb), np.asarray(matte))), name))
    kept: dict[str, np.ndarray] = {}
    for shape, rows in found.items():
        empty = np.zeros((0, *shapes[shape], 4), np.uint8)
        kept[f"{shape}_pixels"] = np.stack([pixels for pixels, _ in rows]) if rows else empty
        kept[f"{shape}_ids"] = np.array([name for _, name in rows], dtype=str)
    return kept


def random_views(images: Tensor, masks: Tensor, size: tuple[int, int], generator: Generator) -> tuple[Tensor, Tensor]:
    """Cut, flip and grade whole photographs at random, the same for foreground and background.

    Cuts keep 70 to 100 % of each side; a cut that loses the foreground is replaced by the whole picture. The grade (small
    exposure, white balance and contrast changes of the whole photograph) makes the network compare instead of memorise.
    """
    count = len(images)
    scale = 0.7 + 0.3 * torch.rand((count, 1), generator=generator).expand(-1, 2)
    centre = (torch.rand((count, 2), generator=generator) * 2 - 1) * (1 - scale)
    flip = torch.where(torch.rand((count,), generator=generator) < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = scale[:, 0] * flip, scale[:, 1], centre
    whole = torch.zeros(count, 2, 3)
    whole[:, 0, 0], whole[:, 1, 1] = flip, 1.0
    stack = torch.cat((images, masks), 1)
    views = _sample(stack, theta, size)
    area = views[:, 3:].mean((1, 2, 3))
    lost = (area < 0.015) | (area > 0.85)
    if lost.any():
        views[lost] = _sample(stack[lost], whole[lost], size)
    images, masks = views[:, :3], views[:, 3:]
    graded = (torch.rand((count, 1, 1, 1), generator=generator) < 0.5).float()
    noise = torch.randn((count, 5, 1, 1), generator=generator) * graded
    gain = (0.08 * noise[:, :3] + 0.12 * noise[:, 3:4]).exp()
    power = (0.12 * noise[:, 4:5]).exp()
    return ((images.clamp(1e-4, 1) ** power) * gain).clamp(0, 1), masks.clamp(0, 1)


def _sample(stack: Tensor, theta: Tensor, size: tuple[int, int]) -> Tensor:
    grid = torch.nn.functional.affine_grid(theta, [len(stack), 4, *size], align_corners=False)
    return torch.nn.functional.grid_sample(stack, grid, mode="bilinear", padding_mode="border", align_corners=False)


def plain_views(images: Tensor, masks: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Shrink whole photographs to the network's size, with nothing random."""
    stack = torch.nn.functional.interpolate(torch.cat((images, masks), 1), size, mode="area")
    return stack[:, :3], stack[:, 3:]
