"""Benchmarks made of photographs: which foregrounds are changed, how, and how far; the same on every computer.

A protocol is called by its family and magnitude, like `retouch-full`; `-1080p` is the very same change of the same
photographs enlarged to a short side of 1080 pixels, which shows whether results depend on the resolution.
`untouched` changes nothing; `pasted` are real composites without a truth (pasted.py).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from harmonize_engine.composite import unit
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation import families, pasted
from harmonize_engine.evaluation.pasted import PastedEntry
from harmonize_engine.evaluation.photographs import Pair, opened, rank
from harmonize_engine.evaluation.scene import Entry, Scene, levels, resized

seed = 2026
magnitudes = {"mild": 0.3, "medium": 0.6, "full": 1.0}
short_side_1080p = 1080
photographs_per_protocol = 200
fewer_1080p = 5  # times fewer photographs: they take many times longer
standard_split = "test"


@dataclass(frozen=True)
class Protocol:
    """One way to make composites. short_side: in pixels, None = as the photographs are."""

    name: str
    family: str
    magnitude: float
    short_side: int | None = None


def _all() -> dict[str, Protocol]:
    changing = [family for family in families.names if family != "untouched"]
    found = [Protocol(f"{f}-{word}", f, magnitude) for word, magnitude in magnitudes.items() for f in changing]
    found.append(Protocol(families.untouched, families.untouched, 0.0))
    found.append(Protocol(pasted.group, pasted.group, 0.0))
    found += [Protocol(f"{f}-full-1080p", f, 1.0, short_side_1080p) for f in changing]
    return {protocol.name: protocol for protocol in found}


protocols = _all()


def is_enlarged(group: str) -> bool:
    """Whether a group repeats another at a larger size."""
    return group in protocols and protocols[group].short_side is not None


def chosen(names: Sequence[str]) -> list[Protocol]:
    """Find protocols by name, by family or by magnitude; none named: all. Raises HarmonizeError `protocol_unknown`."""
    if not names:
        return list(protocols.values())
    found: dict[str, Protocol] = {}
    for name in names:
        fitting = {p.name: p for p in protocols.values() if p.name == name or name in p.name.split("-")}
        if not fitting:
            known = ", ".join([*families.names, pasted.group, *magnitudes, "1080p"])
            raise HarmonizeError(
                "protocol_unknown", f"There is no protocol {name!r}.", f"Name some of {known}, or both: film-full."
            )
        found |= fitting
    return list(found.values())


@dataclass(frozen=True)
class MadeEntry:
    """A composite that is made from a photograph when it is needed."""

    folder: Path
    protocol: Protocol
    pair: Pair
    other: Pair

    @property
    def group(self) -> str:
        """The protocol's name."""
        return self.protocol.name

    @property
    def name(self) -> str:
        """The foreground's id."""
        return self.pair.id

    @property
    def seed(self) -> int:
        """The same for a foreground and family at every magnitude and size."""
        drawn = hashlib.sha256(f"{seed}/{self.protocol.family}/{self.pair.id}".encode()).digest()
        return int.from_bytes(drawn[:8], "big")

    def scene(self) -> Scene:
        """Make the composite."""
        truth, mask = _read(self.folder, self.pair, self.protocol.short_side)
        other, other_mask = _read(self.folder, self.other, None)
        family, magnitude = self.protocol.family, self.protocol.magnitude
        made = families.composite(family, unit(truth), unit(mask), unit(other), unit(other_mask), magnitude, self.seed)
        return Scene(self.group, self.name, levels(made), mask, truth, family, magnitude)

    def sources(self) -> Mapping[str, str]:
        """SHA-256 of photograph, mask and, where it is used, the other photograph and its mask."""
        source = opened(self.folder)
        files = {"image": self.pair.image, "mask": self.pair.mask}
        if self.protocol.family == "statistics":
            files |= {"other_image": self.other.image, "other_mask": self.other.mask}
        return {what: hashlib.sha256(source.content(name)).hexdigest() for what, name in files.items()}


def _read(folder: Path, pair: Pair, short_side: int | None):
    source = opened(folder)
    image, mask = source.read(pair.image).convert("RGB"), source.read(pair.mask).convert("L")
    width, height = image.size
    if short_side is not None:
        share = short_side / min(width, height)
        width, height = round(width * share), round(height * share)
    pixels = resized(image, (width, height), Image.Resampling.LANCZOS)
    return pixels, resized(mask, (width, height), Image.Resampling.BILINEAR)


def entries(folder: Path, asked: Sequence[Protocol], photographs: int | None, split: str = standard_split) -> list[Entry]:
    """List what the protocols make of a source's photographs of one of photographs.splits.

    Photographs come in the order of a hash of their ids, so that fewer are always a part of more. photographs: how many for
    each protocol, a fifth of that at 1080p; None: 200; 0: all. Raises HarmonizeError `no_photographs`.
    """
    pairs = sorted(opened(folder).pairs(split), key=rank)
    if not pairs:
        raise HarmonizeError(
            "no_photographs",
            f"No photograph with a mask was found for {split} in {folder}.",
            "Put images/ and masks/ there, or name a dataset.",
        )
    found: list[Entry] = []
    for protocol in asked:
        count = photographs_per_protocol if photographs is None else photographs or len(pairs)
        if protocol.short_side is not None:
            count = -(-count // fewer_1080p)
        rows = range(min(count, len(pairs)))
        if protocol.family == pasted.group:
            found += [PastedEntry(folder, pairs[i], cut_out) for i in rows if (cut_out := _foreign(pairs, i)) is not None]
        else:
            found += [MadeEntry(folder, protocol, pairs[i], pairs[(i + 1) % len(pairs)]) for i in rows]
    return found


def _foreign(pairs: Sequence[Pair], number: int) -> Pair | None:
    """The next foreground that is of another photograph or video."""
    following = (*pairs[number + 1 :], *pairs[:number])
    return next((pair for pair in following if pair.group != pairs[number].group), None)
