"""The models a server has: loaded when they are first asked for, put away when others need their memory."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harmonize_engine import engine, statistics
from harmonize_engine.composite import Composite
from harmonize_engine.devices import Device, providers
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.network import Card, Network, usual_side
from model_server import memory

# What a loaded network takes was measured by loading eight and unloading them one by one: 1.7 times its file (the
# weights, and the order of them that ONNX Runtime likes better), and what its arena keeps of a look at eight proxies,
# which grows with the area of its input. A difference of RSS around one load is no measure: it was 0 to 13 MB for the
# same network, 38 MB for the first.
times_file = 1.7
arena = 24 << 20


def takes(weights: Path, side: int) -> float:
    """Tell how many bytes a loaded network takes; side: of its input, pixels."""
    return arena * (side / usual_side) ** 2 + times_file * weights.stat().st_size


not_loaded = Device("cpu", providers["cpu"], "The default model has not been loaded yet.", 0.0)
nothing_to_load = Device("cpu", "", "", 0.0)  # for a model that is a formula


class Shelf:
    """Models by name. What loads or looks belongs to one thread; `models` and `device` may be asked from any."""

    def __init__(self, names: Sequence[str] | None, device: str, folders: Sequence[Path], memory_limit: int) -> None:
        """Serve these models, the first being the default; None: all of the package and of the folders of more weights.

        device: one of devices.names; memory_limit: bytes. Raises what engine.models raises, or HarmonizeError
        `model_unknown`.
        """
        known = {model.name: model for model in engine.models(folders)}
        for name in names or ():
            _refuse_unknown(name, known)
        self._models = {name: known[name] for name in names or known}
        self._wanted = device
        self._folders = folders
        self._limit = memory_limit
        self._loaded: OrderedDict[str, tuple[Network, float]] = OrderedDict()  # with its bytes; longest unused first
        self._devices: dict[str, Device] = {}
        self.default = next(iter(self._models))

    @property
    def device(self) -> Device:
        """What the default model runs on, and why it is not what was asked for."""
        return self._devices.get(self.default, nothing_to_load if self.default == statistics.name else not_loaded)

    def models(self) -> list[dict[str, Any]]:
        """List the models: vars of engine.Model, and default, loaded, device (its name, None before it was loaded)."""
        return [
            vars(model)
            | {
                "default": name == self.default,
                "loaded": name in self._loaded or name == statistics.name,
                "device": self._devices[name].name if name in self._devices else None,
            }
            for name, model in self._models.items()
        ]

    def warm(self) -> None:
        """Load the default model and look once, so that the first request finds it ready. Raises what loading raises."""
        mask = np.zeros((64, 64), np.float32)
        mask[16:32, 16:32] = 1
        self.harmonize_all(self.default, [Composite(np.full((64, 64, 3), 0.5, np.float32), mask)])

    def harmonize_all(self, model: str, composites: Sequence[Composite]) -> list[Harmonization]:
        """Look at composites with a model, loading it if need be; the answers are in their order.

        Raises HarmonizeError `model_unknown`, what Network.load raises, and what one of the composites raises.
        """
        _refuse_unknown(model, self._models)
        if model == statistics.name:
            return engine.harmonize_all(composites, model)
        return self._network(model).harmonize_all(composites)

    def _network(self, name: str) -> Network:
        if name not in self._loaded:
            folder = engine.folder_of(name, self._folders)
            weights, side = folder / f"{name}.onnx", Card.read(name, folder).side
            taken = takes(weights, side) if weights.is_file() else 0
            self._make_room(taken)
            network = engine.load(name, self._folders, device=self._wanted)
            self._loaded[name] = network, taken
            self._devices[name] = network.device
        self._loaded.move_to_end(name)
        return self._loaded[name][0]

    def _make_room(self, wanted: float) -> None:
        """Put away what was used longest ago; a single model may be larger than the limit, or it could never be used."""
        crowded = False
        while self._loaded and wanted + sum(taken for _, taken in self._loaded.values()) > self._limit:
            self._loaded.popitem(last=False)
            crowded = True
        if crowded:
            memory.give_back()


def _refuse_unknown(name: str, known: dict[str, engine.Model]) -> None:
    if name not in known:
        raise HarmonizeError("model_unknown", f"There is no model called {name!r}.", f"Choose one of: {', '.join(known)}.")
