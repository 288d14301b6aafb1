"""Where to leave a composite alone: what each threshold of predicted harmony costs and saves.

python -m harmonize_engine.training.gate docs/validation.json

Reads the outcomes that training/table.py wrote. The threshold that ships is the highest whose results are made worse in at
most `most_worse` of the composites of all magnitudes.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

most_worse = 0.12
thresholds = tuple(float(t) for t in np.arange(0.4, 1.0, 0.02).round(2))
Outcomes = list[dict[str, Any]]


def with_gate(outcomes: Outcomes, leave_above: float) -> dict[str, float]:
    """Tell what the gate does at one threshold: share left alone, made worse, fMSE against the composite's."""
    left = np.array([o["before"] >= leave_above or o["after"] <= o["before"] for o in outcomes])
    before = np.array([o["fmse_before"] for o in outcomes])
    after = np.where(left, before, [o["fmse"] for o in outcomes])
    moved = np.where(left, 0.0, [o["moved"] for o in outcomes])
    untouched = np.array([o["magnitude"] == 0 for o in outcomes])
    return {
        "left alone": float(left.mean()),
        "made worse": float((after > before + 1e-9).mean()),
        "fMSE ratio": float(after.mean() / max(before.mean(), 1e-9)),
        "untouched moved": float(moved[untouched].mean()) if untouched.any() else 0.0,
    }


def choose(outcomes: Outcomes) -> float:
    """Choose the highest threshold that makes few enough worse, the lowest of all where none does."""
    fine = [t for t in thresholds if with_gate(outcomes, t)["made worse"] <= most_worse]
    return max(fine, default=thresholds[0])


def main() -> None:
    """Print every threshold's account, and the one to ship."""
    parser = argparse.ArgumentParser(description="Choose the do-no-harm threshold.")
    parser.add_argument("outcomes", type=Path)
    outcomes: Outcomes = [o for o in json.loads(parser.parse_args().outcomes.read_text()) if o["row"] == "parametric"]
    every, full = ([o for o in outcomes if o["set"] == kind] for kind in ("all", "full"))
    print("leave above | left alone | made worse | fMSE ratio | untouched moved | fMSE ratio at full magnitude")
    for threshold in thresholds:
        found = with_gate(every, threshold)
        print(
            f"{threshold:11.2f} | {found['left alone']:9.1%} | {found['made worse']:9.1%} | {found['fMSE ratio']:10.3f} | "
            f"{found['untouched moved']:15.2f} | {with_gate(full, threshold)['fMSE ratio']:.3f}"
        )
    print(f"\nTo ship: {choose(every)}")


if __name__ == "__main__":
    main()
