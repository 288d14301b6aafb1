"""Who takes part in a benchmark: models, old baselines, oracles, networks and results of others.

| as written | what |
|---|---|
| `composite` | nothing is done |
| `histogram`, `mkl` | the background's histograms, or mean and covariance (linear Monge-Kantorovich), for the foreground |
| NAME | a model of `harmonize models`: its curves and light map, as if the gate said nothing |
| NAME`:gate` | the same, but left as it is where the model advises that |
| NAME`:curves` | its curves without its light map |
| `onnx=FILE`, `onnx-signed=FILE` | a network that takes a composite and a mask, pictures in [0,1] or in [-1,1] |
| `onnx@256=FILE` | the same, shown pictures of 256 x 256 though it takes any size |
| `results=FOLDER` | pictures made elsewhere, FOLDER/<group>/<name>.png or FOLDER/<name>.png |
| `oracle-affine`, `oracle-curves`, `oracle` | the best matrix, curves, curves and light for that very picture |

`statistics` is such a model: Reinhard's mean and spread, as curves.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from harmonize_engine import engine, network
from harmonize_engine.batch import suffixes
from harmonize_engine.caution import as_it_is
from harmonize_engine.composite import Pixels, unit
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation import onnx_file, oracles
from harmonize_engine.evaluation.scene import Scene, levels, resized
from harmonize_engine.evaluation.transfers import Transfer, covariance, histograms
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.render import render

baselines: dict[str, Transfer] = {"histogram": histograms, "mkl": covariance}
oracle_names = ("oracle-affine", "oracle-curves", "oracle")
variants = ("", "gate", "curves")
version = "1"  # of baselines and oracles


@dataclass(frozen=True, eq=False)
class Answer:
    """What an entrant made of a scene, 8-bit, and what it thought of it. left: it advised to leave it, and was heard."""

    pixels: Pixels
    before: float | None = None
    after: float | None = None
    left: bool = False


@dataclass(frozen=True, eq=False)
class Entrant:
    """name: as written; fingerprint: of everything but the scene that shapes its answers."""

    name: str
    fingerprint: str
    answer: Callable[[Scene], Answer]

    @property
    def needs_truth(self) -> bool:
        """Whether it is shown the answer."""
        return self.name in oracle_names


def usual() -> list[str]:
    """Those that take part when none are named."""
    default = engine.default_model
    models = [default, f"{default}:gate", f"{default}:curves"]
    return ["composite", "statistics", *baselines, *models, *oracle_names]


def check(names: Sequence[str], folders: Sequence[Path] = ()) -> None:
    """Raise HarmonizeError `entrant_unknown`, or what loading one would raise, before anything is begun."""
    for entrant in load(names, folders):
        del entrant


def load(names: Sequence[str], folders: Sequence[Path] = ()) -> list[Entrant]:
    """Load entrants; variants of one model look at a scene once. Raises what `check` raises."""
    looks: dict[str, _Look] = {}
    return [_load(name, folders, looks) for name in dict.fromkeys(names)]


def _load(name: str, folders: Sequence[Path], looks: "dict[str, _Look]") -> Entrant:
    kind, _, where = name.partition("=")
    if where:
        return _of_others(name, kind, Path(where))
    if name == "composite":
        return Entrant(name, version, lambda scene: Answer(scene.composite))
    if name in baselines:
        return Entrant(name, version, lambda scene: Answer(_matched(scene, baselines[name])))
    if name in oracle_names:
        return Entrant(name, version, lambda scene: Answer(_oracle(scene, name)))
    model, _, variant = name.partition(":")
    known = {each.name: each for each in engine.models(folders)}
    if model not in known or variant not in variants:
        words = ("composite", *baselines, *known, *oracle_names, "onnx=FILE", "results=FOLDER")
        raise HarmonizeError("entrant_unknown", f"There is no entrant {name!r}.", f"Choose of: {', '.join(words)}.")
    look = looks.setdefault(model, _Look(model, folders))
    fingerprint = known[model].version if known[model].weights_sha256 is None else _card(model, folders)
    return Entrant(name, fingerprint, lambda scene: look.answer(scene, variant))


def _card(model: str, folders: Sequence[Path]) -> str:
    """Fingerprint of a network's weights, of what it sees, of its caution and of its gate."""
    card = network.Card.read(model, engine.folder_of(model, folders))
    more = f" {card.window} {card.caution}" if card.window or card.caution != as_it_is else ""
    if card.side == network.usual_side and not card.gate.gain and not more:
        return card.sha256
    return hashlib.sha256(f"{card.sha256} {card.side} {card.gate}{more}".encode()).hexdigest()


def _of_others(name: str, kind: str, path: Path) -> Entrant:
    kind, at, side = kind.partition("@")
    if kind in ("onnx", "onnx-signed") and (not at or (side.isdecimal() and int(side) >= 16)):
        network = onnx_file.OnnxHarmonizer(onnx_file.opened(path), kind == "onnx-signed", int(side) if at else None)
        sha256 = hashlib.sha256(path.read_bytes() + side.encode()).hexdigest()
        return Entrant(name, sha256, lambda scene: Answer(network.harmonize(scene)))
    if kind == "results" and not at:
        if not path.is_dir():
            raise HarmonizeError("folder_missing", f"There is no folder {path}.", "Check its name.")
        return Entrant(name, str(path), lambda scene: Answer(_found(path, scene)))
    raise HarmonizeError("entrant_unknown", f"There is no entrant {name!r}.", "Write onnx=FILE or results=FOLDER.")


@dataclass(eq=False)
class _Look:
    """A model with its last answer."""

    model: str
    folders: Sequence[Path]
    last: tuple[Scene, Harmonization] | None = field(default=None)

    def answer(self, scene: Scene, variant: str) -> Answer:
        if self.last is None or self.last[0] is not scene:
            self.last = scene, engine.harmonize_all([scene.seen], self.model, self.folders)[0]
        found = self.last[1]
        score = found.confidence
        before, after = (None, None) if score is None else (score.before, score.after)
        if variant == "gate" and found.leave:
            return Answer(scene.composite, before, after, True)
        return Answer(
            render(scene.composite, scene.mask, found.blend(1, 0) if variant == "curves" else found), before, after
        )


def _matched(scene: Scene, transfer: Transfer) -> Pixels:
    picture, mask = unit(scene.composite), unit(scene.mask)
    changed = transfer(picture, mask, picture, 1 - mask)
    return levels(picture + (changed - picture) * mask[..., None])


def _oracle(scene: Scene, name: str) -> Pixels:
    if name == "oracle-affine":
        return oracles.affine(scene)
    found = oracles.curves(scene) if name == "oracle-curves" else oracles.curves_and_light(scene)
    return render(scene.composite, scene.mask, found)


def _found(folder: Path, scene: Scene) -> Pixels:
    """A result made elsewhere, resized to the scene if it has another size."""
    stems = [folder / scene.group / scene.name, folder / scene.name]
    path = next((p for stem in stems for suffix in suffixes if (p := stem.with_name(stem.name + suffix)).is_file()), None)
    if path is None:
        raise HarmonizeError(
            "result_missing",
            f"{folder} has no result for {scene.group}/{scene.name}.",
            "Name it like that, as .png or .jpg.",
        )
    try:
        picture = Image.open(path).convert("RGB")
    except OSError as error:
        raise HarmonizeError("file_unreadable", f"{path} cannot be read as a picture.", "Make it again.") from error
    height, width = scene.mask.shape
    return np.asarray(resized(picture, (width, height), Image.Resampling.BILINEAR))
