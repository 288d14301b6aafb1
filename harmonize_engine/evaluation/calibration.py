"""Fit a model's gate on photographs that neither trained it nor judge it, and write it into its model card.

python -m harmonize_engine.evaluation.calibration PHOTOGRAPHS WEIGHTS/parametric.json

The photographs are the calibration half of the validation photographs (photographs.py); the composites those of the
benchmark's families that are trained on, at all magnitudes, and untouched ones. The held-out families stay held out. What
ships is the least gain by which at most `most_worse` of the composites are made worse and untouched ones moved by at most
`most_moved` levels.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from harmonize_engine.curves import Floats
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation import families, protocols
from harmonize_engine.evaluation.judge import compare
from harmonize_engine.files.atomic import atomic
from harmonize_engine.gate import Gate, Opinion, features, harmony
from harmonize_engine.network import Network
from harmonize_engine.render import render

most_worse = 0.05
most_moved = 1.0  # levels
least_gains = tuple(float(gain) for gain in np.arange(0, 10.01, 0.25))
measured = (*families.trained, "light", families.untouched)


@dataclass(frozen=True)
class Trial:
    """What a model thought of one composite and its result, and how far from the truth both were: RMS, levels."""

    family: str
    opinion: Opinion
    before: float
    after: float
    moved: float  # mean absolute change of the foreground, levels


@dataclass(frozen=True)
class Account:
    """What a gate does: share left alone, share of changed composites made worse, error left, untouched ones' change."""

    left: float
    worse: float
    ratio: float
    moved: float

    def harmless(self, worse: float = most_worse, moved: float = most_moved) -> bool:
        """Whether that little harm may ship."""
        return self.worse <= worse and self.moved <= moved


def trials(network: Network, folder: Path, photographs: int) -> list[Trial]:
    """Let a network harmonize the calibration photographs. Raises HarmonizeError `no_photographs`."""
    asked = [p for p in protocols.chosen([]) if p.family in measured and p.short_side is None]
    found: list[Trial] = []
    for entry in tqdm(
        protocols.entries(folder, asked, photographs, "calibration"), unit="scene", leave=False, disable=None
    ):
        scene = entry.scene()
        try:
            ((harmonization, opinion),) = network.opinions_of_all([scene.seen])
        except HarmonizeError:  # a mask that marks next to nothing: nobody is judged by it
            continue
        result = render(scene.composite, scene.mask, harmonization)
        before, after = (compare(p, scene.answer, scene.mask).fmse ** 0.5 for p in (scene.composite, result))
        change = np.abs(result.astype(np.int16) - scene.composite).mean(-1)
        moved = float((change * scene.mask).sum() / scene.mask.sum(dtype=np.float64))
        found.append(Trial(scene.family, opinion, before, after, moved))
    return found


def fitted(found: Sequence[Trial]) -> Gate:
    """Predict the harmony of composites and the gain of results by least squares; every gain is taken."""
    true = np.array([harmony(trial.before) for trial in found])
    gain = np.array([trial.before - trial.after for trial in found])
    before = _weights(np.array([(1.0, trial.opinion.before) for trial in found]), true)
    return Gate(before=before, gain=_weights(np.array([features(trial.opinion) for trial in found]), gain))


def _weights(known: Floats, wanted: Floats) -> tuple[float, ...]:
    """Least squares, held a little towards nothing: opinions that all agree tell no weights."""
    scale = np.maximum(np.sqrt((known**2).mean(0)), 1e-9)
    scaled = known / scale
    solved = np.linalg.solve(scaled.T @ scaled + 1e-3 * np.eye(known.shape[1]), scaled.T @ wanted)
    return tuple(float(f"{weight:.6g}") for weight in solved / scale)


def account(found: Sequence[Trial], gate: Gate) -> Account:
    """Tell what a gate does."""
    left = np.array([gate.confidence(trial.opinion).leave for trial in found])
    before, after = (np.array([getattr(trial, name) for trial in found]) for name in ("before", "after"))
    after = np.where(left, before, after)
    untouched = np.array([trial.family == families.untouched for trial in found])
    moved = np.where(left, 0.0, [trial.moved for trial in found])
    return Account(
        float(left.mean()),
        float((after > before + 1e-9)[~untouched].mean()),
        float((after**2).sum() / max((before**2).sum(), 1e-9)),
        float(moved[untouched].mean()) if untouched.any() else 0.0,
    )


def choose(found: Sequence[Trial], gate: Gate, worse: float = most_worse, moved: float = most_moved) -> Gate:
    """The least gain that does little enough harm, the largest of all where none does."""
    gates = [replace(gate, least_gain=gain) for gain in least_gains]
    return next((each for each in gates if account(found, each).harmless(worse, moved)), gates[-1])


def written(gate: Gate, foregrounds: int) -> dict[str, Any]:
    """A gate as model cards keep it."""
    numbers = {"before": list(gate.before), "gain": list(gate.gain), "least_gain": gate.least_gain}
    return {**numbers, "calibrated_on": f"{foregrounds} composites of validation photographs"}


def main() -> None:
    """Print what every least gain does, and write the one to ship."""
    parser = argparse.ArgumentParser(description="Calibrate a model's gate and write it into its model card.")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("card", type=Path, help="NAME.json beside NAME.onnx")
    parser.add_argument("--most-worse", type=float, default=most_worse, help="share that may be made worse (0.05)")
    parser.add_argument("--most-moved", type=float, default=most_moved, help="of untouched ones, in levels (1)")
    parser.add_argument("--least-gain", type=float, help="in levels: write this one, whatever it does")
    parser.add_argument("--foregrounds", type=int, default=0, help="how many for each protocol (0: all)")
    chosen = parser.parse_args()
    network = Network.load(chosen.card.stem, chosen.card.parent)
    found = trials(network, chosen.photographs.absolute(), chosen.foregrounds)
    fit = fitted(found)
    gate = choose(found, fit, chosen.most_worse, chosen.most_moved)
    if chosen.least_gain is not None:
        gate = replace(fit, least_gain=chosen.least_gain)
    print("least gain | left alone | made worse | fMSE ratio | untouched moved")
    for least in least_gains:
        told = account(found, replace(fit, least_gain=least))
        print(f"{least:10.2f} | {told.left:10.1%} | {told.worse:10.1%} | {told.ratio:10.3f} | {told.moved:.2f}")
    card = json.loads(chosen.card.read_bytes()) | {"gate": written(gate, len(found))}
    with atomic(chosen.card) as file:
        file.write((json.dumps(card, indent=2) + "\n").encode())
    print(f"\nWritten: least gain {gate.least_gain:g} levels, before {gate.before}, gain {gate.gain}")


if __name__ == "__main__":
    main()
