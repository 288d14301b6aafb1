"""The engine's own weights, with advice that never is to leave a picture as it is.

The tests' pictures are invented, and whether a new version of the weights would rather leave them must not matter.
"""

import json
import shutil
from pathlib import Path

from harmonize_engine.network import folder as weights


def eager_weights(into: Path) -> Path:
    """Write them for `harmonize serve --models-folder`; returns the folder."""
    into.mkdir(exist_ok=True)
    shutil.copy(weights / "parametric.onnx", into)
    card = json.loads((weights / "parametric.json").read_text())
    card |= {"caution": None, "gate": {"before": [0, 1], "gain": [0, 0, 0, 1], "least_gain": 0}}
    (into / "parametric.json").write_text(json.dumps(card))
    return into
