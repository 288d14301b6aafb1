"""A sheet of validation composites to look at: composite, result, truth, mask, in rows of one family each.

python -m harmonize_engine.training.sheet PHOTOGRAPHS sheet.png
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from harmonize_engine.composite import Pixels, proxy
from harmonize_engine.engine import harmonize
from harmonize_engine.evaluation import metrics
from harmonize_engine.render import render
from harmonize_engine.training import sources
from harmonize_engine.training.table import composites, measured, seed

height, gap = 200, 6


def strip(title: str, pictures: list[Pixels]) -> Image.Image:
    """Set pictures of one size side by side under a title."""
    images = [Image.fromarray(picture) for picture in pictures]
    images = [
        image.resize((round(image.width * height / image.height), height), Image.Resampling.LANCZOS) for image in images
    ]
    sheet = Image.new("RGB", (sum(image.width + gap for image in images), height + 24), "white")
    ImageDraw.Draw(sheet).text((4, 4), title, "black", ImageFont.load_default(13))
    x = 0
    for image in images:
        sheet.paste(image, (x, 22))
        x += image.width + gap
    return sheet


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description="Draw validation composites with their results.")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--photographs-shown", type=int, default=8)
    parser.add_argument("--seed", type=int, default=seed)
    chosen = parser.parse_args()
    source = sources.Source(chosen.photographs)
    pairs = sorted(sources.examples(source, "val"), key=lambda pair: pair.id)
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(chosen.seed)).tolist()
    strips: list[Image.Image] = []
    for number in order[: chosen.photographs_shown]:
        for kind, family, _, before, mask, truth in composites(source, pairs[number], pairs[order[-1 - number]], number):
            if kind != "full" or family != measured[len(strips) % 3]:
                continue
            found = harmonize(proxy(before, mask))
            after = render(before, mask, found)
            error = [metrics.measure(picture, truth, mask).fmse for picture in (before, after)]
            score = found.confidence
            title = f"{pairs[number].id}: {family}; fMSE {error[0]:.0f} -> {error[1]:.0f}"
            if score is not None:
                title += f"; harmony {score.before:.2f} -> {score.after:.2f}{', leave' if score.leave else ''}"
            strips.append(strip(title, [before, after, truth, np.repeat(mask[..., None], 3, 2)]))
            break
    columns = [strips[0::2], strips[1::2]]
    widths = [max((s.width for s in column), default=0) for column in columns]
    sheet = Image.new("RGB", (sum(widths) + 20, max(len(column) for column in columns) * (height + 30)), "white")
    for i, column in enumerate(columns):
        for row, drawn in enumerate(column):
            sheet.paste(drawn, (i * (widths[0] + 20), row * (height + 30)))
    sheet.save(chosen.out)


if __name__ == "__main__":
    main()
