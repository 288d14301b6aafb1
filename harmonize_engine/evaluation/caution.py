"""Choose a model's caution on photographs that neither trained it nor judge it, and write it into its model card.

python -m harmonize_engine.evaluation.caution PHOTOGRAPHS WEIGHTS/parametric.json

The photographs are the calibration half of the validation photographs; the composites those of every family of the
benchmark, at all magnitudes. Nothing is trained on the held-out families; these three numbers, how far to trust what was
learned, are chosen with them as well, for what an artist brings is no family of ours. Chosen is what stays farthest below
all `bars`, or misses them by least: the shares of the error of full and of mild changes that are left, of trained and of
held-out families; the share of composites made worse; the levels by which untouched ones move. To be done before the gate
is calibrated.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from tqdm import tqdm

from harmonize_engine.caution import Caution, as_it_is
from harmonize_engine.composite import unit
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation import families, pasted, protocols
from harmonize_engine.files.atomic import atomic
from harmonize_engine.network import Network
from harmonize_engine.render import exact

bars = {  # what a model should stay below; harm once more than that by its gate
    "full": 0.45,
    "mild": 0.95,
    "held_out_full": 0.70,
    "held_out_mild": 0.95,
    "worse": 0.15,
    "moved": 1.5,
}
boldnesses = tuple(float(value) for value in np.arange(0.7, 1.51, 0.05).round(2))
reserves = tuple(float(value) for value in np.arange(0.0, 10.1, 0.5))
powers = (0.5, 1.0, 2.0)
shown = 30  # of the best ones


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
    """What a caution would do: shares of the error left, share made worse, levels untouched ones move."""

    caution: Caution
    full: float
    mild: float
    held_out_full: float
    held_out_mild: float
    light_mild: float
    worse: float
    moved: float

    @property
    def worst(self) -> float:
        """The largest of its numbers as a share of its bar: up to 1 all bars are met."""
        return max(getattr(self, name) / bar for name, bar in bars.items())


def steps(network: Network, folder: Path, photographs: int) -> list[Step]:
    """Let a network harmonize the calibration photographs. Raises HarmonizeError `no_photographs`."""
    asked = [p for p in protocols.chosen([]) if p.family != pasted.group and p.short_side is None]
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


def outlook(found: Sequence[Step], caution: Caution) -> Outlook:
    """Tell what a caution would do, taking corrections as straight lines."""
    family = np.array([step.family for step in found])
    magnitude, wanted, made, along, moved = (
        np.array([getattr(step, name) for step in found]) for name in ("magnitude", "wanted", "made", "along", "moved")
    )
    share = np.array([caution.strength(step.made**0.5) for step in found])
    left = wanted - 2 * share * along + share**2 * made
    untouched, trained, held_out = (
        np.isin(family, which) for which in ((families.untouched,), families.trained, families.held_out)
    )
    mild = magnitude < 0.5

    def ratio(which: np.ndarray) -> float:
        return float(left[which].sum() / max(wanted[which].sum(), 1e-9))

    return Outlook(
        caution,
        ratio(trained & (magnitude == 1)),
        ratio(trained & mild),
        ratio(held_out & (magnitude == 1)),
        ratio(held_out & mild),
        ratio((family == "light") & mild),
        float((left > wanted + 1e-9)[~untouched].mean()),
        float((share * moved)[untouched].mean()) if untouched.any() else 0.0,
    )


def choose(found: Sequence[Outlook]) -> Outlook:
    """The one that stays farthest below its bars, or misses them by least."""
    return min(found, key=lambda each: each.worst)


heading = "boldness | reserve | power | full  | mild  | held out, full | mild  | light, mild | made worse | untouched moved"


def row(told: Outlook) -> str:
    """Write an outlook below the heading."""
    chosen = told.caution
    numbers = f"{chosen.boldness:8.2f} | {chosen.reserve:7.1f} | {chosen.power:5.1f} | {told.full:.3f} | {told.mild:.3f}"
    others = f"{told.held_out_full:14.3f} | {told.held_out_mild:.3f} | {told.light_mild:11.3f} | {told.worse:10.1%}"
    return f"{numbers} | {others} | {told.moved:.2f}{' *' if told.worst <= 1 else ''}"


def main() -> None:
    """Print what every caution would do, and write the one to ship."""
    parser = argparse.ArgumentParser(description="Choose a model's caution and write it into its model card.")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("card", type=Path, help="NAME.json beside NAME.onnx")
    parser.add_argument("--foregrounds", type=int, default=0, help="how many for each protocol (0: all)")
    parser.add_argument("--boldness", type=float, nargs="+", default=boldnesses, help="those to choose from")
    parser.add_argument("--reserve", type=float, nargs="+", default=reserves, help="those to choose from, in levels")
    parser.add_argument("--power", type=float, nargs="+", default=powers, help="those to choose from")
    chosen = parser.parse_args()
    network = Network.load(chosen.card.stem, chosen.card.parent)
    plain = replace(network, card=replace(network.card, caution=as_it_is))
    found = steps(plain, chosen.photographs.absolute(), chosen.foregrounds)
    cautions = (Caution(*numbers) for numbers in product(chosen.boldness, chosen.reserve, chosen.power))
    outlooks = sorted((outlook(found, caution) for caution in cautions), key=lambda each: each.worst)
    print(heading)
    for each in outlooks[:shown]:
        print(row(each))
    print("* meets all bars")
    best = choose(outlooks).caution
    numbers = {**asdict(best), "chosen_on": f"{len(found)} composites of validation photographs"}
    card = json.loads(chosen.card.read_bytes()) | {"caution": numbers}
    with atomic(chosen.card) as file:
        file.write((json.dumps(card, indent=2) + "\n").encode())
    print(f"\nWritten: {best}")


if __name__ == "__main__":
    main()
