"""A folder of a benchmark: its outcomes, its manifest, its tables and its page."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation import outcome, page, tables
from harmonize_engine.evaluation.benchmark import Judged
from harmonize_engine.evaluation.manifest import Manifest
from harmonize_engine.evaluation.outcome import Outcome
from harmonize_engine.evaluation.reliability import Reliability, reliabilities
from harmonize_engine.evaluation.scene import Entry
from harmonize_engine.evaluation.table import Table
from harmonize_engine.files.atomic import atomic

outcomes_name, manifest_name, table_name, page_name = "outcomes.csv", "manifest.json", "table.md", "index.html"
reliability_name = "reliability.json"
Key = tuple[str, str, str]


@dataclass
class Results:
    """What is known of a benchmark; every outcome is kept at once, so that a stopped run can be resumed."""

    folder: Path
    outcomes: dict[Key, Outcome] = field(default_factory=dict[Key, Outcome])
    manifest: Manifest = field(default_factory=lambda: Manifest({}))
    judged: list[Judged] = field(default_factory=list[Judged])

    @classmethod
    def opened(cls, folder: Path, anew: bool) -> "Results":
        """Open or make the folder; anew: forget what is in it. Raises HarmonizeError `output_unwritable`."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HarmonizeError(
                "output_unwritable", f"{folder} cannot be made: {error.strerror}.", "Choose another."
            ) from error
        results = cls(folder)
        if not anew:
            results.outcomes = {o.key: o for o in outcome.read(folder / outcomes_name)}
            if (folder / manifest_name).is_file():
                results.manifest = Manifest.read(folder / manifest_name)
        outcome.write(results.outcomes.values(), folder / outcomes_name)
        return results

    def add(self, judged: Judged) -> None:
        """Keep what came of an entry. Raises HarmonizeError `not_written`."""
        try:
            with (self.folder / outcomes_name).open("a", encoding="utf-8") as file:
                file.write("".join(map(outcome.row, judged.outcomes)))
        except OSError as error:
            problem = f"{outcomes_name} could not be written: {error.strerror}."
            raise HarmonizeError("not_written", problem, "Make room, and run again to resume.") from error
        self.outcomes |= {o.key: o for o in judged.outcomes}
        self.judged.append(judged)

    def complete(self, entries: Iterable[Entry]) -> None:
        """Add to the manifest what was judged now, or in a run that was killed before it could write one."""
        self.manifest = self.manifest.extended(self.judged)
        judged = {(o.group, o.name): o.scene_sha256 for o in self.outcomes.values()}
        lacking = [
            Judged(entry, sources=entry.sources(), sha256=judged[key])
            for entry in entries
            if (key := (entry.group, entry.name)) in judged and key not in self.manifest.composites
        ]
        self.manifest = self.manifest.extended(lacking)

    def of(self, keys: Iterable[Key]) -> list[Outcome]:
        """The outcomes of some groups, names and entrants, in that order, as the table keeps them."""
        kept = {o.key: o for o in outcome.read(self.folder / outcomes_name)}
        return [kept[key] for key in keys if key in kept]

    def write(
        self, title: str, summary: str, outcomes: Sequence[Outcome], overview: Sequence[Table], notes: Sequence[str]
    ) -> list[Reliability]:
        """Write manifest, tables and what is known of reliability. Raises what `atomic` raises."""
        outcome.write(self.outcomes.values(), self.folder / outcomes_name)
        self.manifest.write(self.folder / manifest_name)
        found = reliabilities(outcomes)
        text = page.markdown(title, summary, overview, tables.details(outcomes), notes)
        with atomic(self.folder / table_name) as file:
            file.write(text.encode())
        with atomic(self.folder / reliability_name) as file:
            file.write(json.dumps([each.document() for each in found], indent=1).encode())
        return found
