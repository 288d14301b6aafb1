from dataclasses import replace

import torch

from harmonize_engine.models.parametric import Parametric, ParametricConfig, colour_statistics, surroundings

small = ParametricConfig(widths=(8, 8, 12, 16), blocks=(0, 0, 1, 1), bins=8, hidden=32)
composite = torch.rand((2, 3, 96, 128), generator=torch.Generator().manual_seed(0))
mask = torch.zeros(2, 1, 96, 128)
mask[:, :, 30:70, 40:90] = 1


def test_a_fresh_network_says_leave_it_as_it_is():
    curves, gain, _ = Parametric(small).eval()(composite, mask, composite, 1 - mask)
    assert torch.allclose(curves, torch.linspace(0, 1, 33), atol=1e-3)
    assert torch.equal(gain, torch.ones(2, 1, 12, 16))


def test_curves_rise_and_gains_stay_in_range_whatever_the_weights():
    network = Parametric(small).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.5, generator=torch.Generator().manual_seed(1))
    curves, gain, _ = network(composite, mask, composite, 1 - mask)
    assert (curves.diff(dim=2) >= 0).all()
    assert curves.min() >= 0 and curves.max() <= 1
    assert gain.min() > 0.49 and gain.max() < 2.02


def test_statistics_see_only_what_the_weights_show():
    other = composite.clone()
    other[mask.expand(-1, 3, -1, -1) == 0] = 0.5
    assert torch.equal(colour_statistics(composite, mask, 8), colour_statistics(other, mask, 8))
    assert not torch.equal(colour_statistics(composite, 1 - mask, 8), colour_statistics(other, 1 - mask, 8))


def test_histograms_hold_every_pixel_once():
    histograms = colour_statistics(composite, mask, 8)[:, : 7 * 8] ** 2 / 4
    assert torch.allclose(histograms.view(2, 7, 8).sum(2), torch.ones(2, 7), atol=1e-4)


def test_surroundings_are_next_to_the_foreground():
    around = surroundings(mask)
    assert around[mask == 1].max() == 0
    assert around[0, 0, 29, 60] > 0.5
    assert around[0, 0, 2, 2] == 0


def test_pictures_in_a_batch_do_not_see_each_other():
    network = Parametric(small).eval()
    with torch.no_grad():
        network.curves.weight.normal_(0, 0.1)
        together = network(composite, mask, composite, 1 - mask)[0][1]
        alone = network(composite[1:], mask[1:], composite[1:], 1 - mask[1:])[0][0]
    assert torch.allclose(together, alone, atol=1e-5)


def test_some_of_what_is_pooled_is_hidden_while_it_learns_and_nothing_afterwards():
    network = Parametric(replace(small, dropout=0.5)).eval()
    with torch.no_grad():
        network.curves.weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(0))
        first, again = (network(composite, mask, composite, 1 - mask)[0] for _ in range(2))
        assert torch.equal(first, again)
        network.train()
        first, again = (network(composite, mask, composite, 1 - mask)[0] for _ in range(2))
    assert not torch.equal(first, again)


def test_trust_shrinks_curves_and_light_together():
    sizes = ParametricConfig(widths=(8, 8, 12, 16), blocks=(0, 0, 1, 1), bins=8, hidden=32, trust=True)
    network = Parametric(sizes).eval()
    with torch.no_grad():
        network.curves.weight.normal_(0, 0.2, generator=torch.Generator().manual_seed(0))
        network.light_out.weight.normal_(0, 0.2, generator=torch.Generator().manual_seed(1))
        whole = network(composite, mask, composite, 1 - mask)
        network.trust.weight.zero_()
        network.trust.bias.fill_(-30)  # it trusts itself in nothing
        none = network(composite, mask, composite, 1 - mask)
    assert (whole[0] - torch.linspace(0, 1, 33)).abs().max() > 0.01 and (whole[1] - 1).abs().max() > 0.01
    assert torch.allclose(none[0], torch.linspace(0, 1, 33), atol=1e-4)
    assert torch.allclose(none[1], torch.ones(()), atol=1e-4)


def test_a_network_without_trust_has_the_weights_of_version_1():
    """Checkpoints of version 1 are read by their sizes, which mention neither trust nor dropout."""
    from dataclasses import asdict

    from harmonize_engine.models import architectures

    sizes = {name: value for name, value in asdict(small).items() if name not in ("trust", "dropout")}
    assert architectures.read({"sizes": sizes}) == small
    assert not any("trust" in name for name in Parametric(small).state_dict())
    assert architectures.read(architectures.describe(small)) == small
