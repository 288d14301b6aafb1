import pytest
import torch

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.models import lite
from harmonize_engine.models.parametric import Parametric, ParametricConfig
from harmonize_engine.training import pretrained
from harmonize_engine.training.config import experiment


def test_the_default_network_begins_with_weights_that_see():
    """ImageNet's features tell a striped field from a plain one everywhere; random ones of that depth hardly do."""
    torch.manual_seed(0)
    network = Parametric(experiment("default", []).network).eval()
    plain, striped = torch.full((1, 3, 64, 64), 0.5), torch.full((1, 3, 64, 64), 0.5)
    striped[:, :, :, ::8] = 1.0

    def difference():
        a, b = (network._levels(picture - 0.5, torch.zeros(1, 1, 64, 64))[-1] for picture in (plain, striped))
        return float((a - b).std() / torch.cat((a, b)).std())

    with torch.no_grad():
        before = difference()
        pretrained.begin_with(network)
        assert difference() > 10 * before


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pretrained, "package", "no_such_package")
    with pytest.raises(HarmonizeError, match="no_such_package") as told:
        pretrained.begin_with(Parametric(ParametricConfig(lite.widths, backbone="lite0", bins=4, hidden=8)))
    assert told.value.code == "backbone_missing" and "--config scratch" in told.value.hint


def test_a_network_without_a_backbone_keeps_its_weights(monkeypatch):
    monkeypatch.setattr(pretrained, "package", "no_such_package")
    network = Parametric(ParametricConfig((8, 8, 12, 16), (0, 0, 1, 1), bins=4, hidden=8))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pretrained.begin_with(network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
