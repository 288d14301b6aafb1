"""Where training pictures lie on disk, and which of them train and which validate.

Known layouts, each told by its folders:

- photographs with a mask: `images/` and `masks/`, or zips of that layout; a mask is called as its photograph. Where
  `index.csv` is there, it names each mask's photograph and its split;
- PIH's: `real_images/<id>_before.png` and `<id>_after.png`, `masks/<id>_before_mask.png` (or `_after_mask`), `bg/` with
  the same names as `masks/`: the photograph with its foreground removed. Both versions serve as truth in turn;
- iHarmony4's, one subset or several side by side: `composite_images/c1_2_5.jpg`, `masks/c1_2.png`, `real_images/c1.jpg`;
  a list `<subset>_train.txt` or `IHD_train.txt` is followed where it is, test pictures are never trained on;
- plain triples: `before/`, `after/` and `masks/` (or `mask/`), a file of the same name in each.

Without an index every sixteenth photograph, by the hash of its name, validates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation.photographs import Source, is_held_out


@dataclass(frozen=True)
class Example:
    """One foreground: its id and its files' names in the source. before: the retouched version; plate: no foreground."""

    id: str
    photograph: str
    mask: str
    before: str | None = None
    plate: str | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The pictures to read, in the order that they are kept in."""
        return tuple(name for name in (self.photograph, self.mask, self.before, self.plate) if name is not None)


def examples(source: Source, split: str) -> list[Example]:
    """List what belongs to a split ('train' or 'val'). Raises HarmonizeError `no_photographs`."""
    found = [*_photographs(source, split), *_pih(source, split), *_iharmony(source, split), *_triples(source, split)]
    if not found:
        raise HarmonizeError(
            "no_photographs",
            f"No photograph with a mask was found for {split} in {source.folder}.",
            "Put images/ and masks/ there, or before/, after/ and masks/.",
        )
    return found


def _stems(source: Source, under: str) -> dict[str, str]:
    return {Path(name).stem: name for name in source.names(under)}


def _photographs(source: Source, split: str) -> Iterator[Example]:
    return (Example(pair.id, pair.image, pair.mask) for pair in source.pairs(split))


def _pih(source: Source, split: str) -> Iterator[Example]:
    real, masks, plates = (_stems(source, under) for under in ("real_images", "masks", "bg"))
    for stem, after in real.items():
        name, _, version = stem.rpartition("_")
        other = {"before": "after", "after": "before"}.get(version)
        mask = masks.get(f"{stem}_mask") or masks.get(stem) or masks.get(f"{name}_{other}_mask")
        if other is None or mask is None or f"{name}_{other}" not in real or is_held_out(name) != (split == "val"):
            continue
        plate = plates.get(f"{stem}_mask") or plates.get(stem)
        yield Example(stem, after, mask, real[f"{name}_{other}"], plate)


def _iharmony(source: Source, split: str) -> Iterator[Example]:
    inner = [path.name for path in sorted(source.folder.iterdir()) if (path / "composite_images").is_dir()]
    for subset in [*inner, *([""] if (source.folder / "composite_images").is_dir() else [])]:
        under = f"{subset}/" if subset else ""
        composites, masks, real = (_stems(source, under + part) for part in ("composite_images", "masks", "real_images"))
        listed = _listed(source.folder / subset, "train"), _listed(source.folder / subset, "test")
        for stem, composite in composites.items():
            photograph, mask = _beginning(stem, real), _beginning(stem, masks)
            trains = stem in listed[0] if listed[0] else stem not in listed[1]
            if photograph and mask and trains and is_held_out(Path(photograph).stem) == (split == "val"):
                yield Example(under + stem, photograph, mask, composite)


def _listed(folder: Path, split: str) -> set[str]:
    """The names that a subset's list, or the list of the whole set beside it, gives to a split."""
    lists = (folder / f"{folder.name}_{split}.txt", folder / f"IHD_{split}.txt", folder.parent / f"IHD_{split}.txt")
    found = next((path for path in lists if path.is_file()), None)
    lines = found.read_text("utf-8", "replace").splitlines() if found else []
    return {Path(line.split()[0]).stem for line in lines if line.strip()}


def _beginning(stem: str, names: dict[str, str]) -> str | None:
    """The file whose name, up to an underscore, begins another's: c1_2 for c1_2_5."""
    while stem not in names:
        stem, cut, _ = stem.rpartition("_")
        if not cut:
            return None
    return names[stem]


def _triples(source: Source, split: str) -> Iterator[Example]:
    before, after = _stems(source, "before"), _stems(source, "after")
    masks, plates = _stems(source, "masks") or _stems(source, "mask"), _stems(source, "background")
    for stem in before:
        if stem in after and stem in masks and is_held_out(stem) == (split == "val"):
            yield Example(stem, after[stem], masks[stem], before[stem], plates.get(stem))
