import torch

from harmonize_engine.models.parametric import ParametricConfig
from harmonize_engine.training import light
from harmonize_engine.training.parametric import TrainingConfig, train


def test_only_the_layers_of_the_light_map_change(photographs_folder, tmp_path):
    sizes = ParametricConfig(widths=(8, 8, 12, 16), blocks=(0, 0, 0, 1), bins=8, hidden=32)
    config = TrainingConfig(steps=2, batch=6, evaluate_every=2, validate_on=1)
    best = train(photographs_folder, tmp_path / "run", config, tmp_path, sizes)
    left = light.train(photographs_folder, best, tmp_path / "light.pt", minutes=0.02, cache=tmp_path)
    before = torch.load(best, weights_only=True)["average"]
    after = torch.load(tmp_path / "light.pt", weights_only=True)["average"]
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("light_") for name in changed)
    assert "light_out.weight" in changed
    assert 0 < left < 1.5
