"""How the error of trained networks falls with more images seen, more parameters and more photographs.

python -m harmonize_engine.evaluation.scaling RUN... -o scaling

Each RUN is a folder of `harmonize train`, written as in runs.py. Runs that are compared differ in one thing alone: of
parameters and photographs the largest set of runs that agree in the other and in their recipe is taken, at the largest
number of images that all of them saw. Of images there is a trend within every run and one over finished runs of the same
sizes; the latter counts, for within a run the learning rate falls as well. Writes scaling.md and scaling.svg.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation import runs, trend, trend_plot
from harmonize_engine.evaluation.runs import Run
from harmonize_engine.evaluation.table import Cell, Table, number
from harmonize_engine.evaluation.trend import Trend
from harmonize_engine.evaluation.trend_plot import Series
from harmonize_engine.files.atomic import atomic

farther = 10  # times as much: how far trends are followed


@dataclass(frozen=True)
class Axis:
    """What is varied, and errors by how much of it there was; label: of whom."""

    what: str
    label: str
    points: tuple[tuple[float, float], ...]

    @property
    def trend(self) -> Trend | None:
        """The power law through the points, None for too few of them."""
        return trend.fitted(*self._columns)

    def between(self, amount: float) -> tuple[float, float]:
        """The range of what the trend says when each point in turn is left out."""
        return trend.between(*self._columns, amount)

    @property
    def _columns(self) -> tuple[list[float], list[float]]:
        return [amount for amount, _ in self.points], [error for _, error in self.points]


def axes(found: Sequence[Run]) -> list[Axis]:
    """What the runs tell, one axis for each thing that varies."""
    told = [Axis("images", f"within {run.name}", run.points) for run in found if len(run.points) >= trend.fewest]
    alike = _largest(found, lambda run: (run.parameters, run.photographs, run.recipe), lambda run: run.images)
    told += [Axis("images", "finished runs", tuple((run.images, run.best) for run in alike))] if alike else []
    for what, other in (("parameters", "photographs"), ("photographs", "parameters")):
        part = [run for run in found if getattr(run, what) is not None]
        alike = _largest(
            part, lambda run, other=other: (getattr(run, other), run.recipe), lambda run, what=what: getattr(run, what)
        )
        if alike:
            images = min(run.images for run in alike)
            points = tuple((float(getattr(run, what)), run.by(images)) for run in alike)
            told.append(Axis(what, f"at {images:,.0f} images", points))
    return told


def _largest(found: Sequence[Run], same: Callable[[Run], object], varied: Callable[[Run], float | None]) -> Sequence[Run]:
    """The largest set of runs that agree in one thing and vary in another, in its order; none of fewer than two."""
    sets: dict[object, dict[float, Run]] = {}
    for run in found:
        amount = varied(run)
        if amount is not None:
            kept = sets.setdefault(same(run), {})
            if amount not in kept or run.best < kept[amount].best:
                kept[amount] = run
    largest = max(sets.values(), key=len, default={})
    return [largest[amount] for amount in sorted(largest)] if len(largest) > 1 else []


def run_table(found: Sequence[Run], measure: str) -> Table:
    """The runs."""
    rows = tuple(
        (run.name, (_count(run.parameters), _count(run.photographs), _count(run.images), number(run.best, 3)))
        for run in found
    )
    return Table("Runs", "", ("run", "parameters", "photographs", "images seen", measure), rows)


def trend_table(told: Sequence[Axis], measure: str) -> Table:
    """The trends, and where they lead."""
    note = (
        f"{measure} = a + b n^-c by least squares; of three points a = 0. At {farther} times as much: what the trend says, "
        "and the range of what it says when each point in turn is left out; it is no promise."
    )
    header = ("n", "of", "points", "from", "to", "a", "b", "c", "off by", f"at {farther} times", "range")
    return Table("Trends", note, header, tuple((axis.what, _trend_cells(axis)) for axis in told))


def _trend_cells(axis: Axis) -> tuple[Cell, ...]:
    amounts = [amount for amount, _ in axis.points]
    cells = (Cell(axis.label), Cell(str(len(amounts))), _count(min(amounts)), _count(max(amounts)))
    found, most = axis.trend, farther * max(amounts)
    if found is None:
        return (*cells, *[Cell("")] * 6)
    low, high = axis.between(most)
    numbers = (number(found.floor, 3), Cell(f"{found.factor:.3g}"), number(found.exponent, 2), number(found.residual, 4))
    return (*cells, *numbers, number(found.at(most), 3), Cell("" if low != low else f"{low:.3f} to {high:.3f}"))


def _count(value: float | None) -> Cell:
    return Cell("" if value is None else f"{value:,.0f}")


def markdown(found: Sequence[Run], measure: str) -> str:
    """Both tables."""
    told = axes(found)
    return "\n".join(table.markdown() for table in (run_table(found, measure), trend_table(told, measure)) if table.rows)


def drawing(found: Sequence[Run], measure: str) -> str:
    """A panel for each thing that varies, with the trends followed farther."""
    told = axes(found)
    panels = {
        what: [Series(axis.label, axis.points, axis.trend) for axis in told if axis.what == what]
        for what in dict.fromkeys(axis.what for axis in told)
    }
    return trend_plot.svg(panels, measure, farther)


def main(words: Sequence[str] | None = None) -> None:
    """Read the runs, print the tables and write both files. Raises HarmonizeError."""
    parser = argparse.ArgumentParser(description="Show how the error falls with more images, parameters and photographs.")
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="FOLDER or FOLDER,parameters=N,photographs=N,recipe=TEXT,name=TEXT"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="NAME of NAME.md and NAME.svg")
    parser.add_argument("--measure", default="ratio", help="of the validations in metrics.jsonl (ratio)")
    chosen = parser.parse_args(words)
    try:
        found = [runs.read(written, chosen.measure) for written in chosen.runs]
    except HarmonizeError as error:
        parser.error(f"{error.message} {error.hint}")
    for suffix, text in ((".md", markdown(found, chosen.measure)), (".svg", drawing(found, chosen.measure))):
        with atomic(chosen.output.with_suffix(suffix)) as file:
            file.write(text.encode())
    print(markdown(found, chosen.measure))


if __name__ == "__main__":
    main()
