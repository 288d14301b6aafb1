import torch
from torch import nn

from harmonize_engine.models.ensemble import Ensemble, bolder

identity = torch.linspace(0, 1, 33).expand(1, 3, 33)
nothing = (torch.zeros(1),) * 4


class Saying(nn.Module):
    """A network that gives the same answer to everything."""

    def __init__(self, curves, gain, logit):
        super().__init__()
        self.answer = curves, torch.full((1, 1, 2, 2), gain), torch.full((1, 1), logit)

    def forward(self, *_):
        return self.answer


def test_the_mean_of_two_answers_is_given():
    curves, gain, logit = Ensemble([Saying(identity**0.5, 2.0, 1.0), Saying(identity, 0.5, 3.0)])(*nothing)
    assert torch.allclose(curves, (identity**0.5 + identity) / 2, atol=1e-6)
    assert torch.allclose(gain, torch.ones(()))  # twice and half the light is no change
    assert logit.item() == 2.0


def test_boldness_carries_the_mean_on_from_the_identity():
    halfway, further = identity + 0.5 * (identity**0.8 - identity), identity + 0.6 * (identity**0.8 - identity)
    assert torch.allclose(bolder(halfway, 1.2), further, atol=1e-6)
    _, gain, _ = Ensemble([Saying(identity, 1.2, 0.0)] * 2, boldness=2.0)(*nothing)
    assert torch.allclose(gain, torch.tensor(1.44))


def test_bold_curves_still_rise_and_stay_in_range():
    flat = torch.full((1, 3, 33), 0.2)
    curves = bolder(flat, 1.5)
    assert (curves.diff(dim=2) >= 0).all() and curves.min() >= 0 and curves.max() <= 1
    assert torch.equal(bolder(identity**3, 1.0).round(decimals=5), (identity**3).round(decimals=5))
