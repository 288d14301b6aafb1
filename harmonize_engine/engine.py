"""One door to every model: composite in, Harmonization out."""

from dataclasses import dataclass

from harmonize_engine import network, statistics
from harmonize_engine.composite import Composite
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization

default_model = "parametric"


@dataclass(frozen=True)
class Model:
    """What a person needs to know to choose a model."""

    name: str
    version: str
    summary: str
    weights_sha256: str | None


def models() -> list[Model]:
    """List the models that can be used here, the default first. Raises HarmonizeError `weights_missing`."""
    card = network.Card.read(default_model)
    return [
        Model(card.name, card.version, card.summary, card.sha256),
        Model(
            statistics.name, statistics.version, "Matches means and spreads of colour (Reinhard 2001); no weights.", None
        ),
    ]


def harmonize(composite: Composite, model: str = default_model) -> Harmonization:
    """Ask a model how to make the foreground of a display-encoded composite belong.

    Raises HarmonizeError `model_unknown`, or what loading its weights raises.
    """
    if model == statistics.name:
        return statistics.harmonize(composite)
    if model == default_model:
        return network.loaded(model).harmonize(composite)
    names = ", ".join(known.name for known in models())
    raise HarmonizeError("model_unknown", f"There is no model called {model!r}.", f"Choose one of: {names}.")
