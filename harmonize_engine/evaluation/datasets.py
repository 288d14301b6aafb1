"""Published datasets of composites with their truth, as they lie on disk.

A set is a folder with one folder each of composites, masks and truths. A composite's name begins with those of its truth
and its mask: in iHarmony4, ccHarmony and RdHarmony one photograph `c1.jpg` has masks `c1_2.png` and composites
`c1_2_5.jpg`; in others all three names are the same. Sets that keep all three in one folder tell them apart by the ends of
their names.

iHarmony4 has its four subsets side by side, RdHarmony its categories; lists of the test split (`HCOCO_test.txt`,
`IHD_test.txt`, `test_list.txt`, `test.txt`) are followed where they are.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from harmonize_engine.batch import suffixes
from harmonize_engine.composite import Pixels
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation.scene import Scene, resized

composite_words = ("composite_images", "composites", "composite", "comp", "before", "original", "input")
mask_words = ("masks", "mask", "matte")
truth_words = (
    "real_images",
    "real",
    "truths",
    "truth",
    "after",
    "gt",
    "ground_truth",
    "target",
    "harmonized",
    "image",
    "images",
)
separators = "_-"


@dataclass(frozen=True)
class FileEntry:
    """A composite on disk with its mask and truth. size: all are resized to (width, height) first, None = as they are."""

    group: str
    name: str
    composite: Path
    mask: Path
    truth: Path
    size: tuple[int, int] | None = None

    def scene(self) -> Scene:
        """Read the files. Raises HarmonizeError `file_unreadable` or `truth_size`."""
        composite, truth, mask = (_open(path) for path in (self.composite, self.truth, self.mask))
        if composite.size != truth.size and self.size is None:
            raise HarmonizeError(
                "truth_size", f"{self.composite.name} and {self.truth.name} differ in size.", "Use --size 256."
            )
        size = self.size or composite.size
        pictures = [resized(picture.convert("RGB"), size, Image.Resampling.BILINEAR) for picture in (composite, truth)]
        return Scene(self.group, self.name, pictures[0], _mask(mask, size), pictures[1])

    def sources(self) -> Mapping[str, str]:
        """SHA-256 of the three files."""
        files = {"composite": self.composite, "mask": self.mask, "truth": self.truth}
        return {what: hashlib.sha256(path.read_bytes()).hexdigest() for what, path in files.items()}


def _open(path: Path) -> Image.Image:
    try:
        picture = Image.open(path)
        picture.load()
        return picture
    except (OSError, Image.DecompressionBombError) as error:
        raise HarmonizeError("file_unreadable", f"{path} cannot be read as a picture.", "Check or remove it.") from error


def _mask(mask: Image.Image, size: tuple[int, int]) -> Pixels:
    """A mask in 8 bits; some sets store 0 and 1."""
    levels = resized(mask.convert("L"), size, Image.Resampling.BILINEAR)
    return levels * np.uint8(255) if levels.max() == 1 else levels


def fits(folder: Path) -> bool:
    """Whether a folder looks like a dataset. Raises HarmonizeError `folder_missing`."""
    return bool(_subsets(folder))


def entries(folder: Path, size: tuple[int, int] | None = None) -> list[FileEntry]:
    """List a dataset's composites, subset by subset. Raises HarmonizeError `dataset_unknown`."""
    found = [entry for subset in _subsets(folder) for entry in _of_subset(folder, subset, size)]
    if not found:
        raise HarmonizeError(
            "dataset_unknown",
            f"No composites with masks and truths were found in {folder}.",
            "Name its folders composite_images, masks and real_images, or before, mask and after.",
        )
    return found


def _subsets(folder: Path) -> list[Path]:
    """The folders that hold a set: this one, or some of those in it."""
    if not folder.is_dir():
        raise HarmonizeError("folder_missing", f"There is no folder {folder}.", "Check its name.")
    if _part(folder, composite_words) or _flat(folder):
        return [folder]
    inner = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    return [path for path in inner if _part(path, composite_words) or _flat(path)]


def _part(folder: Path, words: Sequence[str]) -> Path | None:
    there = {path.name.lower(): path for path in folder.iterdir() if path.is_dir()}
    return next((there[word] for word in words if word in there), None)


def _of_subset(root: Path, subset: Path, size: tuple[int, int] | None) -> Iterator[FileEntry]:
    group = root.name if subset == root else subset.name
    composites = _part(subset, composite_words)
    if composites is None:
        yield from (FileEntry(group, name, *paths, size) for name, paths in sorted(_flat(subset).items()))
        return
    masks, truths = _part(subset, mask_words), _part(subset, truth_words)
    if masks is None or truths is None:
        return
    mask_of, truth_of = _pictures(masks), _pictures(truths)
    for name, path in _listed(root, subset, _pictures(composites)).items():
        mask, truth = _longest(name, mask_of), _longest(name, truth_of)
        if mask is not None and truth is not None:
            yield FileEntry(group, name, path, mask, truth, size)


def _pictures(folder: Path) -> dict[str, Path]:
    """The pictures below a folder by their path without suffix."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in suffixes]
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}


def _longest(name: str, pictures: Mapping[str, Path]) -> Path | None:
    """The picture called by the longest beginning of a name that ends at a separator."""
    while name not in pictures:
        cut = max(name.rfind(separator) for separator in separators)
        if cut <= 0:
            return None
        name = name[:cut]
    return pictures[name]


def _listed(root: Path, subset: Path, composites: dict[str, Path]) -> dict[str, Path]:
    """Those composites that the set's list of its test split names, all where there is none."""
    lists = (subset / f"{subset.name}_test.txt", root / "IHD_test.txt", subset / "test_list.txt", subset / "test.txt")
    listing = next((path for path in lists if path.is_file()), None)
    if listing is None:
        return composites
    lines = [line.split()[0] for line in listing.read_text("utf-8", "replace").splitlines() if line.strip()]
    names = {Path(line).stem if Path(line).suffix.lower() in suffixes else Path(line).name for line in lines}
    return {name: path for name, path in composites.items() if _named(name.rsplit("/", 1)[-1], names)}


def _named(name: str, names: set[str]) -> bool:
    """Whether a list names a composite or, as ccHarmony's does, the foreground that it begins with."""
    return name in names or any(
        name[: cut + 1].rstrip(separators) in names for cut, c in enumerate(name) if c in separators
    )


def _flat(folder: Path) -> dict[str, tuple[Path, Path, Path]]:
    """Sets in one folder: composite, mask and truth of each name, told apart by how the names end."""
    parts: dict[str, dict[int, Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in suffixes:
            for which, words in enumerate((composite_words, mask_words, truth_words)):
                word = next((word for word in words if path.stem.lower().endswith("_" + word)), None)
                if word is not None:
                    parts.setdefault(path.stem[: -len(word) - 1], {}).setdefault(which, path)
                    break
    return {name: (found[0], found[1], found[2]) for name, found in parts.items() if len(found) == 3}
