import numpy as np
import pytest
import torch

from harmonize_engine.models.pih import Pih, PihConfig, exact_ends
from harmonize_engine.models.rendering import apply_curves
from harmonize_engine.models.resnet import ResNet

small = PihConfig(depths=(1, 1), width=4, light_width=4, strides=(2, 2, 2, 2))
generator = torch.Generator().manual_seed(0)
composite, background = torch.rand((2, 3, 96, 128), generator=generator), torch.rand((2, 3, 96, 128), generator=generator)
mask = torch.zeros(2, 1, 96, 128)
mask[:, :, 30:70, 40:90] = 1


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_papers_sizes_have_the_papers_parameters():
    """23.72 M in the curves network, with its head of 3 x 32; the light network is within a hundredth of 69.92 M."""
    backbone = ResNet(7)
    assert round((count(backbone) + count(torch.nn.Linear(backbone.features, 96))) / 1e6, 2) == 23.72
    with torch.device("meta"):
        light = count(Pih().light)
    assert light == pytest.approx(69.92e6, rel=0.01)


def test_curves_pass_through_the_papers_knots_and_are_flat_outside():
    """A piecewise linear curve through (i + 0.5) / 32, sampled at 65 uniform places, is that very curve."""
    knots = torch.rand((1, 3, 32), generator=generator)
    curves = exact_ends(knots)
    assert curves.shape == (1, 3, 65)
    values = torch.rand((1, 3, 40, 40), generator=generator)
    found = apply_curves(values, curves)
    at = (np.arange(32) + 0.5) / 32
    for channel in range(3):
        expected = np.interp(values[0, channel].numpy(), at, knots[0, channel].numpy())
        assert found[0, channel].numpy() == pytest.approx(expected, abs=1e-6)


def test_light_only_darkens_to_a_half():
    network = Pih(small).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.5, generator=torch.Generator().manual_seed(1))
        curves, gain, harmony = network(composite, mask, background, 1 - mask)
    assert curves.shape == (2, 3, 65) and curves.min() >= 0 and curves.max() <= 1
    assert gain.shape == (2, 1, 12, 16) and 0.5 <= gain.min() < gain.max() <= 1
    assert harmony.shape == (2, 1)


def test_it_looks_at_the_clean_background_but_at_no_reference():
    network = Pih(small).eval()
    with torch.no_grad():
        first = network(composite, mask, background, 1 - mask)[0]
        assert torch.equal(network(composite, mask, background, mask)[0], first)
        assert not torch.equal(network(composite, mask, composite, 1 - mask)[0], first)


def test_the_harmony_head_cannot_change_what_the_curves_see():
    network = Pih(small)
    network(composite, mask, background, 1 - mask)[2].sum().backward()
    assert network.harmony.weight.grad is not None
    assert all(parameter.grad is None for parameter in network.backbone.parameters())


@pytest.mark.parametrize("size", [(64, 64), (96, 176), (112, 144)])
def test_any_input_of_the_engine_fits(size):
    sizes = PihConfig(depths=(1,), width=4, light_width=4, strides=(2, 2, 2, 2, 2, 2))
    images, masks = torch.rand((1, 3, *size), generator=generator), torch.ones(1, 1, *size)
    gain = Pih(sizes).eval()(images, masks, images, masks)[1]
    assert gain.shape[2:] == (size[0] // 8, size[1] // 8)
