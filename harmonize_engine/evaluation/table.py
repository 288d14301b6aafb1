"""A table of a benchmark, as Markdown and as HTML."""

from dataclasses import dataclass
from html import escape
from math import isnan


@dataclass(frozen=True)
class Cell:
    """A number as it is shown. share: how bad it is, 0 = best, 1 = as bad as doing nothing; None = not to be coloured."""

    text: str
    share: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows of cells under a header; the first column names the rows."""

    title: str
    note: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]

    def markdown(self) -> str:
        """Write it with its title and note."""
        lines = [f"### {self.title}", "", self.note, ""] if self.note else [f"### {self.title}", ""]
        lines.append(f"| {' | '.join(self.header)} |")
        lines.append(f"|---|{'---:|' * (len(self.header) - 1)}")
        lines += [f"| {' | '.join([name, *(cell.text for cell in cells)])} |" for name, cells in self.rows]
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        """Write the table alone."""
        head = "".join(f"<th>{escape(title)}</th>" for title in self.header)
        rows = "".join(
            f'<tr class="{_kind(name)}"><th>{escape(name)}</th>{"".join(map(_cell, cells))}</tr>'
            for name, cells in self.rows
        )
        return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def number(value: float, digits: int = 1) -> Cell:
    """A plain number."""
    return Cell("" if isnan(value) else f"{value:.{digits}f}")


def ratio(value: float) -> Cell:
    """A share of the composite's error."""
    return Cell("" if isnan(value) else f"{value:.3f}", None if isnan(value) else min(max(value, 0.0), 2.0))


def percent(value: float, worst: float = 0.5) -> Cell:
    """A share in percent; `worst` is as bad as it gets."""
    return Cell("" if isnan(value) else f"{100 * value:.1f} %", None if isnan(value) else min(2 * value / worst, 2.0))


def _cell(cell: Cell) -> str:
    style = "" if cell.share is None else f' style="--share:{cell.share:.3f}"'
    return f"<td{' class=heat' if cell.share is not None else ''}{style}>{escape(cell.text)}</td>"


def _kind(name: str) -> str:
    return "oracle" if name.startswith("oracle") else "composite" if name == "composite" else "entrant"
