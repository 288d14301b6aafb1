"""Where to leave a composite alone: what each threshold of predicted harmony costs and saves.

python -m harmonize_engine.training.gate docs/validation.json

Reads the outcomes that training/table.py wrote. The threshold that ships is the highest whose results are made worse in at
most `most_worse` of the composites of all magnitudes.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from harmonize_engine.network import better_left
from harmonize_engine.training.outcome import Outcome

most_worse = 0.12
thresholds = tuple(float(t) for t in np.arange(0.4, 1.0, 0.02).round(2))


def gated(outcomes: list[Outcome], leave_above: float) -> list[Outcome]:
    """Make the rows "with gate": the composite's own outcome where the network's advice is to leave it."""
    untouched = {(o.name, o.set, o.family): o for o in outcomes if o.row == "composite"}
    rows: list[Outcome] = []
    for found in outcomes:
        if found.row == "parametric" and found.before is not None and found.after is not None:
            left = better_left(found.before, found.after, leave_above)
            rows.append(replace(untouched[found.name, found.set, found.family] if left else found, row="with gate"))
    return rows


def account(outcomes: list[Outcome], leave_above: float) -> dict[str, float]:
    """Tell what the gate does at one threshold: share left alone, made worse, fMSE against the composite's."""
    rows = gated(outcomes, leave_above)
    after, before = np.array([o.fmse for o in rows]), np.array([o.fmse_before for o in rows])
    untouched = [o.moved for o in rows if o.magnitude == 0]
    return {
        "left alone": float(np.mean([o.moved == 0 for o in rows])),
        "made worse": float((after > before + 1e-9).mean()),
        "fMSE ratio": float(after.mean() / max(before.mean(), 1e-9)),
        "untouched moved": float(np.mean(untouched)) if untouched else 0.0,
    }


def choose(outcomes: list[Outcome]) -> float:
    """Choose the highest threshold that makes few enough worse, the lowest of all where none does."""
    fine = [t for t in thresholds if account(outcomes, t)["made worse"] <= most_worse]
    return max(fine, default=thresholds[0])


def main() -> None:
    """Print every threshold's account, and the one to ship."""
    parser = argparse.ArgumentParser(description="Choose the do-no-harm threshold.")
    parser.add_argument("outcomes", type=Path)
    outcomes = [Outcome(**row) for row in json.loads(parser.parse_args().outcomes.read_text())]
    every, full = ([o for o in outcomes if o.set == kind] for kind in ("all", "full"))
    print("leave above | left alone | made worse | fMSE ratio | untouched moved | fMSE ratio at full magnitude")
    for threshold in thresholds:
        found = account(every, threshold)
        print(
            f"{threshold:11.2f} | {found['left alone']:9.1%} | {found['made worse']:9.1%} | {found['fMSE ratio']:10.3f} | "
            f"{found['untouched moved']:15.2f} | {account(full, threshold)['fMSE ratio']:.3f}"
        )
    print(f"\nTo ship: {choose(every)}")


if __name__ == "__main__":
    main()
