"""The report as one PNG sheet."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from harmonize_engine.files.atomic import atomic
from harmonize_engine.pictures import png
from harmonize_engine.report.plot import colours, label_heights
from harmonize_engine.report.report import Report
from harmonize_engine.report.views import LightView, colour, fitted, view

width, margin, gap = 1600, 48, 24
paper, panel, ink, quiet, line = "#f6f5f2", "#ffffff", "#1d1d1b", "#65635d", "#d3d0c8"
row_height, plot_side = 26, 350


def write(report: Report, path: Path) -> None:
    """Write the sheet. Raises what `atomic` raises."""
    pixels = np.asarray(draw(report))
    with atomic(path) as file:
        png.encode(pixels, file, icc=report.icc)


def draw(report: Report) -> Image.Image:
    """Draw the sheet of a report, RGB."""
    column = (width - 2 * margin - gap) // 2
    size = fitted(report.before.shape, (900, column))
    panels = _panels(report, (width - 2 * margin - 2 * gap) // 3)
    rows = [panels[start : start + 3] for start in range(0, len(panels), 3)]
    facts = report.facts()
    top = 132
    height = top + size[0] + 34 + gap + sum(max(p.height for p in row) + gap for row in rows)
    lines = (len(facts) + 1) // 2
    sheet = Image.new("RGB", (width, height + lines * row_height + 24 + margin), paper)
    canvas = ImageDraw.Draw(sheet)
    canvas.text((margin, 40), _shortened(report.name, 30), ink, _font(30))
    canvas.text((margin, 84), report.verdict, quiet, _font(20))
    for title, pixels, left in (("before", report.before, margin), ("after", report.after, margin + column + gap)):
        sheet.paste(view(pixels, size), (left, top))
        canvas.text((left, top + size[0] + 8), title, quiet, _font(17))
    y = top + size[0] + 34 + gap
    for row in rows:
        for number, image in enumerate(row):
            sheet.paste(image, (margin + number * ((width - 2 * margin - 2 * gap) // 3 + gap), y))
        y += max(image.height for image in row) + gap
    _write_facts(canvas, facts, y, column)
    return sheet


def _panels(report: Report, side: int) -> list[Image.Image]:
    inner = side - 40
    size = fitted(report.before.shape, (inner, inner))
    room = max(size[0], plot_side + 16) if report.curves else size[0]
    panels = [_panel("Mask", view(report.mask, size).convert("RGB"), (side, room), "white = foreground")]
    for number, curves in enumerate(report.curves, 1):
        title = "Tone curves" if len(report.curves) == 1 else f"Tone curves {number}"
        table = np.stack([curves.table(257)[c] for c in range(3)])
        panels.append(_panel(title, _plot(table), (side, room), "across: before, up: after, dashed: unchanged"))
    if report.shading is not None:
        light = LightView.paint(report.shading, report.before, report.mask, size)
        panels.append(_light_panel(light, (side, room)))
    return [_framed(image) for image in panels]


def _panel(title: str, figure: Image.Image, room: tuple[int, int], caption: str) -> Image.Image:
    """A figure in the middle of a frame: room = width of the frame, height left for the figure."""
    image = Image.new("RGB", (room[0], room[1] + 104), panel)
    canvas = ImageDraw.Draw(image)
    canvas.text((20, 16), title, ink, _font(19))
    image.paste(figure, ((room[0] - figure.width) // 2, 52 + (room[1] - figure.height) // 2))
    canvas.text((20, room[1] + 66), caption, quiet, _font(16))
    return image


def _light_panel(light: LightView, room: tuple[int, int]) -> Image.Image:
    image = _panel("Light map", light.image, room, "")
    canvas = ImageDraw.Draw(image)
    side, y = room[0], room[1] + 62
    bar = np.rint(colour(np.linspace(-1, 1, side - 40)) * 255).astype(np.uint8)
    image.paste(Image.fromarray(np.repeat(bar[None], 8, axis=0)), (20, y))
    for x, text, anchor in (
        (20, f"{light.reach:.0%} darker", "la"),
        (side // 2, "unchanged", "ma"),
        (side - 20, f"{light.reach:.0%} brighter", "ra"),
    ):
        canvas.text((x, y + 13), text, quiet, _font(15), anchor)
    return image


def _framed(image: Image.Image) -> Image.Image:
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=line)
    return image


def _plot(table: np.ndarray) -> Image.Image:
    """Draw curves (3, N), four times enlarged and shrunk again for smooth lines."""
    side, scale = plot_side, 4
    large = side * scale
    image = Image.new("RGB", (large, large), panel)
    canvas = ImageDraw.Draw(image)
    for place in (0, 1, 2, 3, 4):
        at = round(place * (large - 1) / 4)
        shade = quiet if place in (0, 4) else line
        canvas.line((at, 0, at, large), shade, scale)
        canvas.line((0, at, large, at), shade, scale)
    dashes = np.linspace(0, large, 60)
    for start, end in zip(dashes[::2], dashes[1::2], strict=True):
        canvas.line((start, large - start, end, large - end), quiet, scale)
    x = np.linspace(0, large, table.shape[1])
    for values, shade in zip(table, colours.values(), strict=True):
        points = np.stack((x, (1 - values) * large), axis=-1).ravel().tolist()
        canvas.line(points, shade, 3 * scale, joint="curve")
    labelled = Image.new("RGB", (side + 24, side + 16), panel)
    labelled.paste(image.resize((side, side), Image.Resampling.BOX), (0, 0))
    canvas = ImageDraw.Draw(labelled)
    heights = label_heights([(1 - values[-1]) * side for values in table], 16)
    for (name, shade), height in zip(colours.items(), heights, strict=True):
        canvas.text((side + 7, max(8, height)), name, shade, _font(15), "lm")
    return labelled


def _write_facts(canvas: ImageDraw.ImageDraw, facts: list[tuple[str, str]], top: int, column: int) -> None:
    lines = (len(facts) + 1) // 2
    for number, (label, value) in enumerate(facts):
        x = margin + (number // lines) * (column + gap)
        y = top + (number % lines) * row_height
        canvas.text((x, y), label, quiet, _font(17))
        canvas.text((x + 160, y), _shortened(value, 17, column - 160), ink, _font(17))


def _shortened(text: str, size: int, room: int = width - 2 * margin) -> str:
    font = _font(size)
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "...") > room:
        text = text[:-1]
    return text + "..."


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
