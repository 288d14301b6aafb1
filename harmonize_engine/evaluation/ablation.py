"""What each part of a model is worth: networks side by side, trained in one way or another, with and without their light.

How a network was trained stands in its model card.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harmonize_engine import engine
from harmonize_engine.evaluation import families, pasted
from harmonize_engine.evaluation.outcome import Outcome
from harmonize_engine.evaluation.protocols import is_enlarged, magnitudes
from harmonize_engine.evaluation.summary import Summary
from harmonize_engine.evaluation.table import Cell, Table, number, percent, ratio

note = (
    "The networks without their gates: which streams trained them, whether their light map is used, how many "
    "composites they saw; then what is left of the error, share made worse over all magnitudes, by how much untouched "
    "pictures moved, and, where there is a judge, its harmony score of results on real composites."
)


@dataclass(frozen=True)
class Recipe:
    """How a network came about. streams: "supervised", "both" or, where its card is silent, ""; images: composites seen."""

    streams: str
    images: int | None
    parameters: int | None


def recipes(names: Sequence[str], folders: Sequence[Path] = ()) -> dict[str, Recipe]:
    """Read the model cards of the networks among some entrants, by model. Raises what engine.models raises."""
    known = {model.name for model in engine.models(folders) if model.weights_sha256 is not None}
    models = dict.fromkeys(name.partition(":")[0] for name in names)
    return {model: _read(engine.folder_of(model, folders) / f"{model}.json") for model in models if model in known}


def _read(path: Path) -> Recipe:
    card: dict[str, Any] = json.loads(path.read_bytes())
    training: dict[str, Any] = card.get("training") or {}
    streams = ""
    if training:  # of version 1, which had one stream, the card says nothing of streams
        dual = training.get("supervised", 1.0) < 1 and training.get("adversarial", 0.0) > 0
        streams = "both" if dual else "supervised"
    return Recipe(streams, training.get("images"), card.get("parameters"))


def table(outcomes: Sequence[Outcome], known: Mapping[str, Recipe]) -> Table | None:
    """Compare networks and their variants; None where there is only one."""
    part = [o for o in outcomes if not is_enlarged(o.group)]
    names = dict.fromkeys(o.entrant for o in part)
    shown = [name for name in names if name.partition(":")[0] in known and not name.endswith(":gate")]
    if len(shown) < 2:
        return None
    judged = any(o.judged_after is not None and o.group == pasted.group for o in part)
    rows = tuple((name, _cells([o for o in part if o.entrant == name], name, known, judged)) for name in shown)
    header = ("network", "streams", "light map", "composites seen", "parameters", *columns, "worse", "untouched moved")
    return Table("Ablation", note, (*header, "real, harmony") if judged else header, rows)


columns: Mapping[str, Callable[[Outcome], bool]] = {
    "trained, full": lambda o: o.family in families.trained and o.magnitude == magnitudes["full"],
    "held out, full": lambda o: o.family in families.held_out and o.magnitude == magnitudes["full"],
    "light, full": lambda o: o.family == "light" and o.magnitude == magnitudes["full"],
    "all, mild": lambda o: o.family != families.untouched and o.magnitude == magnitudes["mild"],
}


def _cells(part: Sequence[Outcome], name: str, known: Mapping[str, Recipe], judged: bool) -> tuple[Cell, ...]:
    model, _, variant = name.partition(":")
    recipe = known[model]
    cells = [Cell(recipe.streams), Cell("no" if variant == "curves" else "yes")]
    cells += [Cell("" if count is None else f"{count:,}") for count in (recipe.images, recipe.parameters)]
    cells += [ratio(Summary.of([o for o in part if fits(o)]).ratio) for fits in columns.values()]
    changed = [o for o in part if o.family not in (families.untouched, pasted.group)]
    untouched = Summary.of([o for o in part if o.family == families.untouched])
    cells += [percent(Summary.of(changed).worse), number(untouched.moved, 2)]
    if judged:
        scores = [o.judged_after for o in part if o.judged_after is not None and o.group == pasted.group]
        cells.append(number(sum(scores) / len(scores) if scores else float("nan"), 3))
    return tuple(cells)
