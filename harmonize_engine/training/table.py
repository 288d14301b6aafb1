"""The validation table: every model on the same synthetic composites, at the photographs' own size.

python -m harmonize_engine.training.table PHOTOGRAPHS --out docs/validation

Composites are 8-bit, made by the three families with fixed seeds from the validation photographs; results are rendered by
the engine as the command line does. Two sets: `full`, every change at full magnitude, and `all`, magnitudes uniform from 0
with one in eight untouched.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from harmonize_engine.composite import Composite, Pixels, proxy
from harmonize_engine.engine import harmonize
from harmonize_engine.evaluation import metrics
from harmonize_engine.fit import FitConfig, fit
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.network import Card
from harmonize_engine.render import render
from harmonize_engine.training import families, gate, sources
from harmonize_engine.training.outcome import Outcome
from harmonize_engine.training.sources import Example

seed = 2026
introduction = """# Validation

{photographs} foregrounds of photographs that were not trained on, at their own size (short side about 288 pixels),
each made into a composite by every family of `harmonize_engine/training/families.py`: (a) `filters`, (b)
`statistics`, (c) `retouch`. Composites and results are 8-bit, rendered by the engine as the command line does; fixed
seeds. MSE, fMSE and PSNR (peak 255) in 8-bit levels, means over images; fMSE over the foreground, weighted by the
soft mask; "made worse" counts results with a higher fMSE than their composite. Rows: the composite as it is;
`statistics`, Reinhard's matching; the model's curves alone; the model `parametric`; the same with its do-no-harm gate
(left as it is from a predicted harmony of {leave_above}, or where nothing is gained); the `oracle`, the best curves
and light map for that very image, by `fit` with the answer at hand: what no prediction can beat.

Written by `python -m harmonize_engine.training.table PHOTOGRAPHS --out docs/validation`.

"""
sets = ("full", "all")
measured = families.names[:3]  # of version 1
Row = Callable[[Composite, Pixels, Pixels, Pixels], Harmonization | None]


order = ("composite", "statistics", "curves only", "parametric", "with gate", "oracle")  # of the table's rows


def composites(
    source: sources.Source, pair: Example, other: Example, number: int
) -> Iterator[tuple[str, str, float, Pixels, Pixels, Pixels]]:
    """Make the six composites of one photograph: set, family, magnitude, composite, mask, truth, all 8-bit."""
    truth, mask = _read(source, pair)
    size = (truth.shape[1], truth.shape[0])
    other_truth, other_mask = _read(source, other, size)
    for which, family in enumerate(measured):
        for kind in sets:
            generator = torch.Generator().manual_seed(seed * 100_003 + number * 17 + which * 2 + sets.index(kind))
            magnitude = 1.0
            if kind == "all":
                untouched, drawn = torch.rand(2, generator=generator).tolist()
                magnitude = 0.0 if untouched < 0.125 else drawn
            made = families.composite(
                _tensor(truth),
                _tensor(mask),
                torch.tensor([which]),
                torch.tensor([magnitude]),
                _tensor(other_truth),
                _tensor(other_mask),
                generator,
            )
            pixels = (made[0].permute(1, 2, 0).clamp(0, 1) * 255).round().to(torch.uint8).numpy()
            yield kind, family, magnitude, np.ascontiguousarray(pixels), mask, truth


def _read(source: sources.Source, pair: Example, size: tuple[int, int] | None = None) -> tuple[Pixels, Pixels]:
    image = source.read(pair.photograph).convert("RGB")
    size = size or image.size
    matte = source.read(pair.mask).convert("L").resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR)), np.asarray(matte)


def _tensor(pixels: Pixels) -> torch.Tensor:
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    return torch.from_numpy(planes.copy()).permute(2, 0, 1)[None].float() / 255


def _composite(seen: Composite, before: Pixels, truth: Pixels, mask: Pixels) -> None:
    return None


def _model(seen: Composite, before: Pixels, truth: Pixels, mask: Pixels, name: str) -> Harmonization:
    return harmonize(seen, name)


def _oracle(seen: Composite, before: Pixels, truth: Pixels, mask: Pixels) -> Harmonization:
    return fit(before, truth, mask, FitConfig(long_side=512))


rows: dict[str, Row] = {
    "composite": _composite,
    "statistics": partial(_model, name="statistics"),
    "parametric": partial(_model, name="parametric"),
    "oracle": _oracle,
}


def judge(source: sources.Source, pair: Example, other: Example, number: int, asked: list[str]) -> list[Outcome]:
    """Run the rows asked for on the composites of one photograph."""
    outcomes: list[Outcome] = []
    for kind, family, magnitude, before, mask, truth in composites(source, pair, other, number):
        seen = proxy(before, mask)
        plain = metrics.measure(before, truth, mask)
        note = partial(Outcome, pair.id, kind, family, magnitude)
        for name in asked:
            found = rows[name](seen, before, truth, mask)
            if found is None:
                outcomes.append(note(name, **asdict(plain), fmse_before=plain.fmse, moved=0.0))
                continue
            variants = {"curves only": found.blend(1, 0), name: found} if name == "parametric" else {name: found}
            for variant, what in variants.items():
                result = render(before, mask, what)
                moved = np.abs(metrics.levels(result) - metrics.levels(before)).mean(-1)
                score = found.confidence
                outcomes.append(
                    note(
                        variant,
                        **asdict(metrics.measure(result, truth, mask)),
                        fmse_before=plain.fmse,
                        moved=float((moved * mask).sum() / mask.sum()),
                        before=None if score is None else score.before,
                        after=None if score is None else score.after,
                    )
                )
    return outcomes


def _usable(source: sources.Source, pair: Example) -> bool:
    return np.asarray(source.read(pair.mask).convert("L")).max() > 127


def _judge_part(folder: Path, split: str, every: int, asked: list[str], part: int, parts: int) -> list[Outcome]:
    torch.set_num_threads(1)
    source = sources.Source(folder)
    pairs = sorted(sources.examples(source, split), key=lambda pair: pair.id)[::every]
    shuffled = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(seed)).tolist()
    found: list[Outcome] = []
    for i in tqdm(range(part, len(pairs), parts), disable=part > 0, mininterval=5):
        if _usable(source, pairs[i]):
            found += judge(source, pairs[i], pairs[shuffled[i]], i, asked)
    return found


def mean(outcomes: list[Outcome], field: str) -> float:
    """Average one number over images."""
    return float(np.mean([getattr(outcome, field) for outcome in outcomes])) if outcomes else float("nan")


def table(outcomes: list[Outcome]) -> str:
    """Write the table as Markdown, per set, family and overall."""
    lines: list[str] = []
    names = list(dict.fromkeys(outcome.row for outcome in outcomes))
    titles = {"full": "Full magnitude", "all": "All magnitudes, one in eight untouched"}
    for kind in sets:
        lines += [f"### {titles[kind]}", ""]
        lines += [
            "| family | row | MSE | fMSE | fMSE / composite's | PSNR | SSIM x 100 | made worse |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for family in (*measured, "overall"):
            here = [o for o in outcomes if o.set == kind and family in (o.family, "overall")]
            base = mean([o for o in here if o.row == "composite"], "fmse")
            for name in names:
                part = [o for o in here if o.row == name]
                if not part:
                    continue
                # an untouched photograph has MSE 0 and an infinite PSNR: it is left out of that mean
                finite = [o for o in part if np.isfinite(o.psnr) and o.fmse_before > 0]
                worse = np.mean([o.fmse > o.fmse_before + 1e-9 for o in part])
                lines.append(
                    f"| {family} | {name} | {mean(part, 'mse'):.1f} | {mean(part, 'fmse'):.1f} | "
                    f"{mean(part, 'fmse') / base:.3f} | {mean(finite, 'psnr'):.2f} | {100 * mean(part, 'ssim'):.2f} | "
                    f"{100 * worse:.1f} % |"
                )
        lines.append("")
    return "\n".join(lines)


def untouched(outcomes: list[Outcome], row: str) -> float:
    """How far untouched photographs move, mean over photographs, levels."""
    return mean([o for o in outcomes if o.row == row and o.magnitude == 0], "moved")


def correlation(outcomes: list[Outcome]) -> tuple[float, float]:
    """Correlate predicted harmony with exp(-RMS error / 20 levels), before and after."""
    part = [o for o in outcomes if o.row == "parametric" and o.before is not None]
    true_before = np.exp(-np.sqrt([o.fmse_before for o in part]) / 20)
    true_after = np.exp(-np.sqrt([o.fmse for o in part]) / 20)
    before = np.corrcoef([o.before or 0.0 for o in part], true_before)[0, 1]
    after = np.corrcoef([o.after or 0.0 for o in part], true_after)[0, 1]
    return float(before), float(after)


def main() -> None:
    """Judge all rows and write <out>.md and <out>.json."""
    parser = argparse.ArgumentParser(description="Write the validation table.")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--every", type=int, default=1, help="take every n-th photograph")
    parser.add_argument("--rows", nargs="*", default=list(rows), help="of " + ", ".join(rows) + "; none: only report")
    parser.add_argument("--add", type=Path, nargs="*", default=[], help="outcomes of other rows, from earlier runs")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    work = partial(_judge_part, chosen.photographs, chosen.split, chosen.every, chosen.rows, parts=chosen.workers)
    with ProcessPoolExecutor(chosen.workers) as pool:
        parts = range(chosen.workers) if chosen.rows else ()
        outcomes = [outcome for part in pool.map(work, parts) for outcome in part]
    outcomes += [Outcome(**row) for path in chosen.add for row in json.loads(path.read_text())]
    chosen.out.with_suffix(".json").write_text(json.dumps([asdict(outcome) for outcome in outcomes]))
    if "parametric" in {outcome.row for outcome in outcomes}:
        report(outcomes, chosen.out.with_suffix(".md"))


def report(outcomes: list[Outcome], path: Path) -> None:
    """Write the table and what it says of untouched photographs and of the harmony score."""
    leave_above = Card.read("parametric").leave_above
    outcomes = outcomes + gate.gated(outcomes, leave_above)
    outcomes = sorted(outcomes, key=lambda outcome: order.index(outcome.row))
    before, after = correlation(outcomes)
    photographs_judged = len({outcome.name for outcome in outcomes})
    text = introduction.format(photographs=photographs_judged, leave_above=leave_above) + table(outcomes)
    text += (
        f"\nUntouched photographs move by {untouched(outcomes, 'parametric'):.2f} levels (mean over the foreground), "
        f"with the gate by {untouched(outcomes, 'with gate'):.2f}.\n\n"
        f"Correlation of predicted harmony with exp(-RMS error / 20 levels): {before:.3f} for composites, "
        f"{after:.3f} for results.\n"
    )
    path.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
