import hashlib
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from harmonize_engine import HarmonizeError, proxy
from harmonize_engine.models import architectures
from harmonize_engine.models.ensemble import Ensemble
from harmonize_engine.models.pih import Pih, PihConfig
from harmonize_engine.network import Network
from harmonize_engine.training import export, shipped
from harmonize_engine.training.parametric import Training, train
from harmonize_engine.training.photographs import load
from harmonize_engine.training.processes import Processes

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own insides


def exported(*arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["export", *map(str, arguments)])
        export.main()


@pytest.fixture(scope="module")
def weights(photographs_folder, cache, small, tmp_path_factory):
    """A network trained for two steps, exported as the package would ship it."""
    folder = tmp_path_factory.mktemp("weights")
    best = train([photographs_folder], folder / "run", replace(small, steps=2, validate_on=1), cache)
    exported(best, "--name", "tiny", "--version", "0", "--into", folder)
    return folder


@pytest.fixture(scope="module")
def averaged(weights, photographs_folder, cache, small):
    """The same averaged with another, its weights in half the bytes."""
    other = replace(small, seed=2, steps=2, validate_on=1, network=replace(small.network, hidden=48))
    best = train([photographs_folder], weights / "other", other, cache)
    exported(
        weights / "run" / "best.pt", best, "--window", "0.3", "--side", "80", "--half", "--name", "two", "--into", weights
    )
    return best


def test_the_card_tells_hash_size_and_training(weights):
    card = json.loads((weights / "tiny.json").read_text())
    content = (weights / "tiny.onnx").read_bytes()
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["bytes"] == len(content)
    assert card["training"]["step"] == 2
    assert card["training"]["images"] == 12
    assert (card["side"], card["window"]) == (64, 0.5)


def test_onnx_runtime_gives_what_torch_gives(weights):
    network, _ = export.load(weights / "run" / "best.pt")
    assert export.largest_difference(network, (weights / "tiny.onnx").read_bytes(), side=64) < 1e-4


def test_the_engine_runs_the_exported_weights(weights):
    picture = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    mask = np.zeros((90, 160), np.uint8)
    mask[30:60, 50:100] = 255
    found = Network.load("tiny", weights).harmonize(proxy(picture, mask))
    assert found.model == "tiny" and found.weights_sha256 == json.loads((weights / "tiny.json").read_text())["sha256"]
    assert found.confidence is not None and 0 < found.confidence.before < 1


def test_an_exported_model_learns_on_from_where_it_stood(weights, photographs_folder, cache, small):
    """Its normalisations, folded into the convolutions, are found again: the same answers, and true statistics."""
    before, _ = export.load(weights / "run" / "best.pt")
    run = Training(small, Processes(0, 1, torch.device("cpu")), load(photographs_folder, "train", cache, small.side))
    run.begin_with(weights / "tiny.onnx")
    seen = run._composites(99)
    with torch.no_grad():
        for ours, theirs in zip(run.network.eval()(*seen), before(*seen), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-4)
        run.network.train()
        first = run.network.stages[0]
        assert torch.allclose(
            first[1].running_mean, first[0](torch.cat((seen[0] - 0.5, seen[1]), 1)).mean((0, 2, 3)), atol=0.1
        )
        assert first[1].running_var.max() < 0.9  # where they were folded it was 1


def test_what_is_no_model_cannot_be_begun_with(tmp_path):
    (tmp_path / "photo.onnx").write_bytes(b"no model")
    with pytest.raises(HarmonizeError) as error:
        shipped.read(tmp_path / "photo.onnx", Pih(PihConfig(depths=(1,), width=4, light_width=4, strides=(2, 2, 2, 2))))
    assert error.value.code == "weights_broken"


def test_the_papers_network_exports_to_the_same_interface(tmp_path):
    sizes = PihConfig(depths=(1, 1), width=4, light_width=4, strides=(2, 2, 2, 2))
    network = Pih(sizes).eval()
    content = export.to_onnx(network, side=64)
    assert export.largest_difference(network, content, side=64) < 1e-4
    sha256 = hashlib.sha256(content).hexdigest()
    card = {"version": "0", "sha256": sha256, "gate": {"leave_above": 0.9}, "summary": "", "side": 64}
    (tmp_path / "paper.onnx").write_bytes(content)
    (tmp_path / "paper.json").write_text(json.dumps(card))
    picture, mask = np.full((90, 160, 3), 120, np.uint8), np.zeros((90, 160), np.uint8)
    mask[30:60, 50:100] = 255
    curves, shading = Network.load("paper", tmp_path).harmonize(proxy(picture, mask)).adjustments
    assert curves.y.shape == (3, 65) and shading.gain.max() <= 1


def test_several_checkpoints_make_one_model_that_gives_their_mean(weights, averaged):
    networks = [export.load(path)[0] for path in (weights / "run" / "best.pt", averaged)]
    content = (weights / "two.onnx").read_bytes()
    assert export.largest_difference(Ensemble(networks).eval(), content, side=64) < 3e-3  # 16-bit weights
    card = json.loads((weights / "two.json").read_text())
    assert card["sizes"]["hidden"] == 32 and (card["side"], card["window"]) == (80, 0.3)
    assert [other["training"]["seed"] for other in card["averaged_with"]] == [2]


def test_half_the_bytes_are_stored(weights, averaged):
    whole = sum(export.load(path)[1]["average"][name].numel() * 4 for path, name in stored(weights, averaged))
    assert (weights / "two.onnx").stat().st_size < 0.75 * whole


def test_variances_too_large_for_16_bits_are_kept(small):
    network = architectures.build(replace(small.network, widths=(8, 8, 12, 400))).eval()
    standard = network.body[0]
    with torch.no_grad():
        standard.running_var[:], standard.weight[:] = 1e5, 1e5**0.5
    content = export.with_half_the_bytes(export.to_onnx(network, side=64))
    assert export.largest_difference(network, content, side=64) < 1e-3


def test_a_model_that_differs_from_its_checkpoint_is_not_written(weights, averaged, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(export, "with_half_the_bytes", lambda _: (weights / "two.onnx").read_bytes())
    with pytest.raises(SystemExit) as stopped:
        exported(weights / "run" / "best.pt", "--half", "--into", tmp_path)
    assert stopped.value.code == 1 and not list(tmp_path.iterdir())
    assert "differs from its checkpoints by" in capsys.readouterr().err


def stored(weights, averaged):
    for path in (weights / "run" / "best.pt", averaged):
        yield from ((path, name) for name in export.load(path)[1]["average"])


@pytest.mark.parametrize("hidden", [32, 48])
def test_each_of_an_averaged_models_networks_can_learn_on(weights, averaged, small, hidden):
    path = weights / "run" / "best.pt" if hidden == 32 else averaged
    network = architectures.build(replace(small.network, hidden=hidden))
    found, before = shipped.read(weights / "two.onnx", network), export.load(path)[0].state_dict()
    heads = [name for name in before if name.startswith(("body", "curves", "harmony"))]
    assert heads and all(torch.allclose(found[name], before[name], atol=1e-3) for name in heads if name in found)
    assert {name for name in heads if "num_batches" not in name} <= set(found)
