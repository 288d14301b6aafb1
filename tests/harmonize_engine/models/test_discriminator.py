import pytest
import torch

from harmonize_engine.models.discriminator import Discriminator, DiscriminatorConfig


@pytest.mark.parametrize("size", [(64, 64), (112, 144)])
def test_every_pixel_gets_an_opinion(size):
    network = Discriminator(DiscriminatorConfig(width=4))
    assert network(torch.rand(2, 3, *size)).shape == (2, 1, *size)


def test_inner_layers_have_a_spectral_norm_of_1():
    network = Discriminator(DiscriminatorConfig(width=4))
    for _ in range(30):  # every look in training refines the estimate
        network(torch.rand(1, 3, 64, 64))
    network.eval()
    for layer in (*network.down, *network.up):
        assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2) == pytest.approx(1, abs=0.05)


def test_skips_are_kept_at_the_deepest_levels_only():
    """With no skips the finest levels reach the answer through the bottom alone."""
    images = torch.rand((1, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    outputs = []
    for skips in (0, 2, 4):
        torch.manual_seed(3)
        outputs.append(Discriminator(DiscriminatorConfig(width=4, skips=skips)).eval()(images))
    assert not torch.equal(outputs[0], outputs[1]) and not torch.equal(outputs[1], outputs[2])
