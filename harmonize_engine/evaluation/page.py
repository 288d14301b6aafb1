"""A benchmark as one self-contained HTML page: nothing is loaded from anywhere."""

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import sqrt
from pathlib import Path
from string import Template

from harmonize_engine.composite import Pixels
from harmonize_engine.evaluation import plot
from harmonize_engine.evaluation.reliability import Reliability
from harmonize_engine.evaluation.sheet import Sheet, Shown
from harmonize_engine.evaluation.table import Table
from harmonize_engine.files.atomic import atomic
from harmonize_engine.report.views import fitted, view

picture_box = (270, 340)  # (height, width) that the pictures of sheets are shrunk into


@dataclass(frozen=True)
class Page:
    """What the page tells. summary: sentences; notes: what was not measured and why."""

    title: str
    summary: str
    facts: Sequence[tuple[str, str]]
    overview: Sequence[Table]
    details: Sequence[Table]
    reliabilities: Sequence[Reliability]
    sheets: Sequence[tuple[Sheet, Sequence[Shown]]]
    focus: str
    notes: Sequence[str] = ()

    def write(self, path: Path) -> None:
        """Write the page. Raises what `atomic` raises."""
        text = self.html().encode()
        with atomic(path) as file:
            file.write(text)

    def html(self) -> str:
        """Make the page."""
        template = Template((Path(__file__).parent / "page.html").read_text("utf-8"))
        return template.substitute(
            title=escape(self.title),
            summary=escape(self.summary),
            facts="".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in self.facts),
            overview="".join(map(_section, self.overview)),
            details="".join(f"<h3>{escape(table.title)}</h3>{table.html()}" for table in self.details),
            reliability="".join(map(_reliability, self.reliabilities)),
            sheets="".join(_sheet(sheet, shown, self.focus) for sheet, shown in self.sheets),
            notes="".join(f"<li>{escape(note)}</li>" for note in self.notes),
        )


def _section(table: Table) -> str:
    return f"<section><h2>{escape(table.title)}</h2><p>{escape(table.note)}</p>{table.html()}</section>"


def _reliability(found: Reliability) -> str:
    numbers = (
        f"Of composites: off by {found.before.error:.3f} in the mean, correlation {found.before.correlation:.2f}. "
        f"Of its results: off by {found.after.error:.3f}, correlation {found.after.correlation:.2f}."
    )
    gain = (
        f"Of its gain: off by {found.gain.error:.2f} levels (expected calibration error over ten bins), correlation "
        f"{found.gain.correlation:.2f}."
    )
    left, worse, ratio = found.gate.now
    gate = f"Its gate leaves {left:.1%} alone; then {worse:.1%} are made worse and {ratio:.3f} of the error is left."
    keys = _keys((plot.before_colour, "composites"), (plot.after_colour, "results"))
    gate_keys = _keys((plot.before_colour, "made worse"), (plot.after_colour, "error left"))
    return (
        f"<section><h2>Does {escape(found.entrant)} know how well it does?</h2>"
        f"<p>True harmony is exp(-RMS error / 20 levels). {numbers} {gain} {gate}</p><div class='panels'>"
        f"<figure><h3>Predicted and true harmony</h3>{plot.reliability(found.before, found.after)}"
        f"<figcaption>{keys} bars: the middle half; dashed: perfect</figcaption></figure>"
        f"<figure><h3>Predicted and true gain</h3>{plot.gain(found.gain)}"
        "<figcaption>lines: no gain; bars: the middle half; dashed: perfect</figcaption></figure>"
        f"<figure><h3>If the least promising were left alone</h3>{plot.gate(found.gate)}"
        f"<figcaption>{gate_keys} dots: its gate as it is</figcaption></figure></div></section>"
    )


def _keys(*keys: tuple[str, str]) -> str:
    return " ".join(f'<span class="key" style="--key:{colour}">{name}</span>' for colour, name in keys)


def _sheet(sheet: Sheet, shown: Sequence[Shown], focus: str) -> str:
    cards = "".join(map(_card, shown))
    title = f"{sheet.title}: {focus}"
    return f'<section><h2>{escape(title)}</h2><p>{escape(sheet.note)}</p><div class="cards">{cards}</div></section>'


def _card(shown: Shown) -> str:
    outcome, scene = shown.outcome, shown.scene
    size = fitted(scene.composite.shape, picture_box)
    pictures = [("composite", scene.composite), ("result", shown.result)]
    pictures += [] if scene.truth is None else [("truth", scene.truth)]
    figures = "".join(
        f'<div><img loading="lazy" alt="{name}" width="{size[1]}" height="{size[0]}" src="{_embedded(pixels, size)}">'
        f"<span>{name}</span></div>"
        for name, pixels in pictures
    )
    return (
        f'<figure class="card"><div class="strip" style="--count:{len(pictures)}">{figures}</div><figcaption>'
        f"<b>{escape(outcome.group)}</b> {escape(outcome.name)}<br>{_verdict(shown)}{_opinion(shown)}</figcaption></figure>"
    )


def _verdict(shown: Shown) -> str:
    outcome = shown.outcome
    if shown.scene.truth is None:
        judged = outcome.judged_before, outcome.judged_after
        said = "" if None in judged else f", judge {judged[0]:.2f} to {judged[1]:.2f}"
        return f"moved by {outcome.moved:.1f} levels{said}"
    kind = "worse" if outcome.worse else "better"
    return f'<span class="{kind}">{sqrt(outcome.fmse_before):.1f} to {sqrt(outcome.fmse):.1f} levels off</span>'


def _opinion(shown: Shown) -> str:
    before, after = shown.outcome.harmony_before, shown.outcome.harmony_after
    if before is None or after is None:
        return ""
    left = ", left alone" if shown.outcome.left else ""
    return f", harmony {before:.2f} to {after:.2f}{left}"


def _embedded(pixels: Pixels, size: tuple[int, int]) -> str:
    stream = io.BytesIO()
    view(pixels, size).save(stream, "JPEG", quality=84, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"


def markdown(title: str, sentences: str, tables: Iterable[Table], details: Iterable[Table], notes: Iterable[str]) -> str:
    """The same in Markdown, without pictures."""
    parts = [f"# {title}", "", sentences, "", *(table.markdown() for table in tables)]
    parts += [f"\n{note}" for note in notes]
    found = list(details)
    if found:
        parts += ["", "## Every number", "", *(table.markdown() for table in found)]
    return "\n".join(parts) + "\n"
