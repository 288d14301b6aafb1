import hashlib
import json
import sys

import numpy as np
import pytest

from harmonize_engine import proxy
from harmonize_engine.models.parametric import ParametricConfig
from harmonize_engine.network import Network
from harmonize_engine.training import export
from harmonize_engine.training.parametric import TrainingConfig, train

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own insides


@pytest.fixture(scope="module")
def weights(photographs_folder, tmp_path_factory):
    """A network trained for two steps, exported as the package would ship it."""
    folder = tmp_path_factory.mktemp("weights")
    sizes = ParametricConfig(widths=(8, 8, 12, 16), blocks=(0, 0, 0, 1), bins=8, hidden=32)
    config = TrainingConfig(steps=2, batch=4, evaluate_every=2, validate_on=1)
    best = train(photographs_folder, folder / "run", config, folder, sizes)
    arguments = sys.argv
    sys.argv = ["export", str(best), "--name", "tiny", "--version", "0", "--into", str(folder)]
    try:
        export.main()
    finally:
        sys.argv = arguments
    return folder


def test_the_card_tells_hash_size_and_training(weights):
    card = json.loads((weights / "tiny.json").read_text())
    content = (weights / "tiny.onnx").read_bytes()
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["bytes"] == len(content)
    assert card["training"]["step"] == 2
    assert card["training"]["images"] == 8


def test_onnx_runtime_gives_what_torch_gives(weights):
    network, _ = export.load(weights / "run" / "best.pt")
    assert export.largest_difference(network, (weights / "tiny.onnx").read_bytes()) < 1e-4


def test_the_engine_runs_the_exported_weights(weights):
    picture = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    mask = np.zeros((90, 160), np.uint8)
    mask[30:60, 50:100] = 255
    found = Network.load("tiny", weights).harmonize(proxy(picture, mask))
    assert found.model == "tiny" and found.weights_sha256 == json.loads((weights / "tiny.json").read_text())["sha256"]
    assert found.confidence is not None and 0 < found.confidence.before < 1
