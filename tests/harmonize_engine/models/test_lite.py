import torch
from torch import nn

from harmonize_engine.models import lite
from harmonize_engine.models.parametric import Parametric, ParametricConfig

sizes = ParametricConfig(lite.widths, backbone="lite0", bins=8, hidden=32)
pictures = torch.rand((2, 3, 96, 128), generator=torch.Generator().manual_seed(0))
mask = torch.zeros(2, 1, 96, 128)
mask[:, :, 30:70, 40:90] = 1


def imagenet_weights(path):
    """Weights as the package stores them: convolution, batch norm, and so on; more of them than our stages take."""
    generator = torch.Generator().manual_seed(1)
    weights = {}
    made = nn.ModuleList(lite.stages())
    convolutions = [layer for layer in made.modules() if isinstance(layer, nn.Conv2d)]
    for place, layer in enumerate([*convolutions, convolutions[-1]]):
        width = layer.out_channels
        weights[f"{place}.weight"] = torch.randn(layer.weight.shape, generator=generator) * 0.2
        for name in ("weight", "bias", "running_mean", "running_var"):
            weights[f"{place}.norm.{name}"] = torch.rand(width, generator=generator) + 0.5
        weights[f"{place}.norm.num_batches_tracked"] = torch.tensor(7)
    weights |= {"_fc.weight": torch.zeros(1000, 8), "_fc.bias": torch.zeros(1000)}
    torch.save(weights, path)
    return weights


def test_stages_halve_the_picture_four_times():
    x, shapes = pictures, []
    for stage in lite.stages():
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes == [(16, 48, 64), (24, 24, 32), (40, 12, 16), (192, 6, 8)]


def test_the_first_two_stages_do_not_learn():
    learning = [any(weight.requires_grad for weight in stage.parameters()) for stage in lite.stages()]
    assert learning == [False, False, True, True]


def test_ready_made_weights_answer_as_their_own_network_would(tmp_path):
    weights = imagenet_weights(tmp_path / "lite.pth")
    made = nn.ModuleList(lite.stages()).eval()
    lite.begin_with(made, tmp_path / "lite.pth")

    def theirs(x, place, **options):  # a convolution and its batch norm, on what ImageNet's network was given
        w = [weights[f"{place}.norm.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
        x = nn.functional.conv2d(x, weights[f"{place}.weight"], **options)
        return nn.functional.batch_norm(x, *w, eps=1e-3)

    x = theirs((pictures * 255 - 127.5) / 128, 0, stride=2, padding=1).clamp(0, 6)
    x = theirs(x, 1, padding=1, groups=32).clamp(0, 6)
    assert torch.allclose(made[0](pictures - 0.5), theirs(x, 2), atol=1e-3)

    inside = torch.rand((1, 24, 8, 8))  # of the first block that learns, with batch norms of its own
    block = made[2][0].layers
    place = 3 + 3 + 3
    x = theirs(inside, place).clamp(0, 6)
    x = theirs(x, place + 1, stride=2, padding=2, groups=144).clamp(0, 6)
    assert torch.allclose(block(inside), theirs(x, place + 2), atol=1e-3)


def test_a_network_on_the_backbone_begins_with_leave_it_and_can_be_told_the_mask():
    network = Parametric(sizes).eval()
    curves, _, _ = network(pictures, mask, pictures, 1 - mask)
    assert torch.allclose(curves, torch.linspace(0, 1, 33), atol=1e-3)
    blind = network._levels(pictures - 0.5, mask)[-1]
    assert torch.equal(blind, network._levels(pictures - 0.5, 1 - mask)[-1])  # zero at first: the stages see what they know
    with torch.no_grad():
        network.mask_in[0].weight.fill_(1.0)
    assert not torch.equal(network._levels(pictures - 0.5, mask)[-1], network._levels(pictures - 0.5, 1 - mask)[-1])
