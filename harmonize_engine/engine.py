"""One door to every model: composite in, Harmonization out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harmonize_engine import network, statistics
from harmonize_engine.composite import Composite
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.network import Network

default_model = "parametric"


@dataclass(frozen=True)
class Model:
    """What a person needs to know to choose a model."""

    name: str
    version: str
    summary: str
    weights_sha256: str | None


def models(folders: Sequence[Path] = ()) -> list[Model]:
    """List the models that can be used here, the default first; folders: of more weights, <name>.onnx and <name>.json.

    Raises HarmonizeError `weights_missing`, `weights_broken` or `folder_missing`.
    """
    cards = [network.Card.read(name, folder) for name, folder in _weights(folders).items()]
    listed = [Model(card.name, card.version, card.summary, card.sha256) for card in cards]
    summary = "Matches means and spreads of colour (Reinhard 2001); no weights."
    return [listed[0], Model(statistics.name, statistics.version, summary, None), *listed[1:]]


def harmonize(composite: Composite, model: str = default_model) -> Harmonization:
    """Ask a model how to make the foreground of a display-encoded composite belong.

    Raises HarmonizeError `model_unknown`, or what loading its weights raises.
    """
    return harmonize_all([composite], model)[0]


def harmonize_all(
    composites: Sequence[Composite], model: str = default_model, folders: Sequence[Path] = ()
) -> list[Harmonization]:
    """Ask a model about several display-encoded composites at once; the answers are in their order.

    Raises HarmonizeError `model_unknown`, what loading its weights raises, and what one composite alone would raise.
    """
    if model == statistics.name:
        return [statistics.harmonize(composite) for composite in composites]
    return network.loaded(model, folder_of(model, folders)).harmonize_all(composites)


def load(name: str, folders: Sequence[Path] = (), threads: int = 1, device: str = "cpu") -> Network:
    """Load a network of its own, not the one that `harmonize` keeps; any model but "statistics".

    Raises HarmonizeError `model_unknown`, and what Network.load raises.
    """
    return Network.load(name, folder_of(name, folders), threads, device)


def folder_of(name: str, folders: Sequence[Path] = ()) -> Path:
    """Find the folder of a network's weights: the first of `folders` that has them, else the package's own.

    Raises HarmonizeError `model_unknown`; a name is only compared with those found, so that it leads nowhere else.
    """
    weights = _weights(folders)
    if name not in weights:
        known = ", ".join(model.name for model in models(folders))
        raise HarmonizeError("model_unknown", f"There is no model called {name!r}.", f"Choose one of: {known}.")
    return weights[name]


def _weights(folders: Sequence[Path]) -> dict[str, Path]:
    """Each network's name and folder, the default first, even if its files are gone: then that is what is said."""
    for folder in folders:
        if not folder.is_dir():
            raise HarmonizeError("folder_missing", f"There is no folder of weights {folder}.", "Check its name.")
    found = {default_model: network.folder}
    for folder in (network.folder, *reversed(folders)):
        cards = (path.with_suffix(".json") for path in sorted(folder.glob("*.onnx")))
        found |= {card.stem: folder for card in cards if card.is_file() and card.stem != statistics.name}
    return found
