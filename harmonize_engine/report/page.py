"""The report as one self-contained HTML page: nothing is loaded from anywhere."""

import base64
import io
from html import escape
from pathlib import Path
from string import Template

from PIL import Image

from harmonize_engine.files.atomic import atomic
from harmonize_engine.report import plot
from harmonize_engine.report.report import Report
from harmonize_engine.report.views import LightView, fitted, view

large, small = (1200, 1400), (480, 640)  # (height, width) the pictures are shrunk into


def write(report: Report, path: Path) -> None:
    """Write the page. Raises what `atomic` raises."""
    text = html(report).encode()
    with atomic(path) as file:
        file.write(text)


def html(report: Report) -> str:
    """Make the page of a report."""
    size = fitted(report.before.shape, large)
    template = Template((Path(__file__).parent / "page.html").read_text("utf-8"))
    return template.substitute(
        name=escape(report.name),
        verdict=escape(report.verdict),
        width=size[1],
        height=size[0],
        before=_embedded(view(report.before, size), report.icc),
        after=_embedded(view(report.after, size), report.icc),
        panels="".join(_panels(report)),
        facts="".join(f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in report.facts()),
    )


def _panels(report: Report) -> list[str]:
    size = fitted(report.before.shape, small)
    panels = [_panel("Mask", f'<img alt="Mask" src="{_embedded(view(report.mask, size))}">', "white = foreground")]
    for number, curves in enumerate(report.curves, 1):
        title = "Tone curves" if len(report.curves) == 1 else f"Tone curves {number}"
        keys = " ".join(f'<span class="key" style="--key:{colour}">{name}</span>' for name, colour in plot.colours.items())
        panels.append(_panel(title, plot.svg(curves), f"{keys} dashed = unchanged"))
    if report.shading is not None:
        light = LightView.paint(report.shading, report.before, report.mask, size)
        ends = f"<span>{light.reach:.0%} darker</span><span>unchanged</span><span>{light.reach:.0%} brighter</span>"
        legend = f'<div class="scale"></div><div class="ends">{ends}</div>'
        panels.append(_panel("Light map", f'<img alt="Light map" src="{_embedded(light.image)}">', legend))
    return panels


def _panel(title: str, figure: str, caption: str) -> str:
    return f"<figure><h2>{title}</h2>{figure}<figcaption>{caption}</figcaption></figure>"


def _embedded(image: Image.Image, icc: bytes | None = None) -> str:
    """A picture as a data address: photographs as JPEG without colour sub-sampling, masks as PNG."""
    stream = io.BytesIO()
    if image.mode == "L":
        image.save(stream, "PNG")
        kind = "png"
    else:
        image.save(stream, "JPEG", quality=90, subsampling=0, icc_profile=icc)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"
