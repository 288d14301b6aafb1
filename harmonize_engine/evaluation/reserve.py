"""How far a model's corrections are carried, and which are too small to be made: chosen before it is exported for good.

python -m harmonize_engine.evaluation.reserve PHOTOGRAPHS WEIGHTS/parametric.json

The model is one that was exported with boldness 1 and reserve 0 (models/ensemble.py says what they are). It is tried on the
calibration half of the validation photographs, on the benchmark's families that are trained on, at all magnitudes, and on
untouched ones; the held-out families stay held out. Chosen is what leaves least of the error of full changes among what
makes at most `most_worse` of the composites worse, moves untouched ones by at most `most_moved` levels, and leaves at most
`most_mild` of the error of mild changes.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from tqdm import tqdm

from harmonize_engine.composite import unit
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation import families, protocols
from harmonize_engine.evaluation.calibration import measured
from harmonize_engine.network import Network
from harmonize_engine.render import exact

most_worse, most_moved, most_mild = 0.2, 2.0, 0.95
boldnesses = tuple(float(value) for value in np.arange(1.0, 1.51, 0.1).round(2))
reserves = tuple(float(value) for value in np.arange(0.0, 9.1, 0.5))


@dataclass(frozen=True)
class Step:
    """A model's correction of one composite beside the one wanted, over the foreground, in levels.

    wanted, made: their mean squares; along: the mean of their product; moved: the mean of the correction's size.
    """

    family: str
    magnitude: float
    wanted: float
    made: float
    along: float
    moved: float


@dataclass(frozen=True)
class Outlook:
    """What a boldness and a reserve would do: shares of the error left, share made worse, levels untouched ones move."""

    boldness: float
    reserve: float
    full: float
    mild: float
    light_mild: float
    worse: float
    moved: float

    @property
    def harmless(self) -> bool:
        """Whether it stays within all bars."""
        return self.worse <= most_worse and self.moved <= most_moved and self.mild <= most_mild


def steps(network: Network, folder: Path, photographs: int) -> list[Step]:
    """Let a network harmonize the calibration photographs. Raises HarmonizeError `no_photographs`."""
    asked = [p for p in protocols.chosen([]) if p.family in measured and p.short_side is None]
    entries = [(p.magnitude, e) for p in asked for e in protocols.entries(folder, [p], photographs, "calibration")]
    found: list[Step] = []
    for magnitude, entry in tqdm(entries, unit="scene", leave=False, disable=None):
        scene = entry.scene()
        try:
            ((harmonization, _),) = network.opinions_of_all([scene.seen])
        except HarmonizeError:  # a mask that marks next to nothing: nobody is judged by it
            continue
        composite, answer = unit(scene.composite), unit(scene.answer)
        made = 255 * (exact(composite, scene.mask, harmonization) - composite)
        wanted = 255 * (answer - composite)
        share = scene.mask[..., None] / (3 * scene.mask.sum(dtype=np.float64))
        sums = [float((share * product).sum()) for product in (wanted**2, made**2, made * wanted, np.abs(made))]
        found.append(Step(scene.family, magnitude, *sums))
    return found


def outlook(found: Sequence[Step], boldness: float, reserve: float) -> Outlook:
    """Tell what a boldness and a reserve would do, taking corrections as straight lines."""
    family = np.array([step.family for step in found])
    magnitude, wanted, made, along, moved = (
        np.array([getattr(step, name) for step in found]) for name in ("magnitude", "wanted", "made", "along", "moved")
    )
    share = boldness * np.maximum(0, 1 - reserve**2 / np.maximum(made, 1e-9))
    left = wanted - 2 * share * along + share**2 * made
    untouched, light = family == families.untouched, family == "light"
    trained = ~untouched & ~light

    def ratio(which: np.ndarray) -> float:
        return float(left[which].sum() / max(wanted[which].sum(), 1e-9))

    return Outlook(
        boldness,
        reserve,
        ratio(trained & (magnitude == 1)),
        ratio(trained & (magnitude < 0.5)),
        ratio(light & (magnitude < 0.5)),
        float((left > wanted + 1e-9)[~untouched].mean()),
        float((share * moved)[untouched].mean()) if untouched.any() else 0.0,
    )


def choose(found: Sequence[Outlook]) -> Outlook:
    """The one that leaves least of full changes within the bars; where none is, the one that does least harm."""
    harmless = [each for each in found if each.harmless]
    return min(harmless, key=lambda each: each.full) if harmless else min(found, key=lambda each: each.worse)


def main() -> None:
    """Print what every boldness and reserve would do, and which to export with."""
    parser = argparse.ArgumentParser(description="Choose a model's boldness and reserve.")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("card", type=Path, help="NAME.json beside NAME.onnx, exported with neither")
    parser.add_argument("--foregrounds", type=int, default=0, help="how many for each protocol (0: all)")
    chosen = parser.parse_args()
    network = Network.load(chosen.card.stem, chosen.card.parent)
    found = steps(network, chosen.photographs.absolute(), chosen.foregrounds)
    outlooks = [outlook(found, *pair) for pair in product(boldnesses, reserves)]
    print("boldness | reserve | full | mild | light, mild | made worse | untouched moved")
    for each in outlooks:
        print(
            f"{each.boldness:8.2f} | {each.reserve:7.1f} | {each.full:.3f} | {each.mild:.3f} | {each.light_mild:11.3f} | "
            f"{each.worse:10.1%} | {each.moved:.2f}{'' if each.harmless else '  (harm)'}"
        )
    best = choose(outlooks)
    print(f"\nExport with: --boldness {best.boldness:g} --reserve {best.reserve:g}   (from {len(found)} composites)")


if __name__ == "__main__":
    main()
