"""What a benchmark was run on, in a file: every composite with the SHA-256 of its sources and of its pixels.

Two tables can be compared where their manifests have the same `id`. Composites are made in floating point, and a processor
or a numpy of another kind may round a few pixels by one level; then `id` differs though sources and settings are the
same, and `difference` tells how many composites do.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation import families, protocols
from harmonize_engine.evaluation.benchmark import Judged
from harmonize_engine.evaluation.protocols import MadeEntry
from harmonize_engine.evaluation.scene import Entry
from harmonize_engine.files.atomic import atomic

format_name = "harmonize-benchmark/1"
Key = tuple[str, str]


@dataclass(frozen=True)
class Manifest:
    """Composites by group and name; each a row of group, name, how it was made, sources and SHA-256."""

    composites: Mapping[Key, Mapping[str, Any]]

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read what `write` wrote. Raises HarmonizeError `bad_manifest`."""
        try:
            document = json.loads(path.read_bytes())
            if document["format"] != format_name:
                raise ValueError(document["format"])
            return cls({(row["group"], row["name"]): row for row in document["composites"]})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise HarmonizeError("bad_manifest", f"{path} is no manifest of a benchmark.", "Run without it.") from error

    def extended(self, judged: Iterable[Judged]) -> "Manifest":
        """These composites and those that were judged now."""
        added = {(each.entry.group, each.entry.name): _row(each) for each in judged if each.refused is None}
        return Manifest(dict(self.composites) | added)

    def only(self, keys: Iterable[Key]) -> "Manifest":
        """Some of the composites."""
        return Manifest({key: self.composites[key] for key in keys if key in self.composites})

    @property
    def id(self) -> str:
        """Fingerprint of all composites, 12 hexadecimal digits."""
        lines = sorted(f"{group}/{name}/{row['sha256']}" for (group, name), row in self.composites.items())
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]

    def check(self, entries: Iterable[Entry]) -> None:
        """Refuse entries whose sources are others than this manifest says. Raises HarmonizeError `other_sources`."""
        known = ((entry, self.composites.get((entry.group, entry.name))) for entry in entries)
        count = sum(row is not None and row["sources"] != entry.sources() for entry, row in known)
        if count:
            what = "composite has" if count == 1 else "composites have"
            raise HarmonizeError(
                "other_sources", f"{count} {what} other sources than the manifest says.", "Use the same files."
            )

    def difference(self, other: "Manifest") -> int:
        """How many of the composites that both have are not the same to the pixel."""
        return sum(
            row["sha256"] != other.composites[key]["sha256"]
            for key, row in self.composites.items()
            if key in other.composites
        )

    def write(self, path: Path) -> None:
        """Write it as JSON. Raises what `atomic` raises."""
        document = {
            "format": format_name,
            "id": self.id,
            "seed": protocols.seed,
            "families_version": families.version,
            "composites": [self.composites[key] for key in sorted(self.composites)],
        }
        with atomic(path) as file:
            file.write(json.dumps(document, indent=1).encode())


def _row(judged: Judged) -> dict[str, Any]:
    entry = judged.entry
    made = (
        {"family": entry.protocol.family, "magnitude": entry.protocol.magnitude, "seed": entry.seed}
        if isinstance(entry, MadeEntry)
        else {}
    )
    return {"group": entry.group, "name": entry.name, **made, "sources": dict(judged.sources), "sha256": judged.sha256}
