import pytest
import torch
from torch import nn

from harmonize_engine.models.ensemble import Ensemble, bolder

identity = torch.linspace(0, 1, 33).expand(1, 3, 33)
grey, whole = torch.full((1, 3, 16, 16), 0.5), torch.ones(1, 1, 16, 16)
seen = grey, whole, grey, whole


class Saying(nn.Module):
    """A network that gives the same answer to everything."""

    def __init__(self, curves, gain, logit):
        super().__init__()
        self.answer = curves, torch.full((1, 1, 2, 2), gain), torch.full((1, 1), logit)

    def forward(self, *_):
        return self.answer


def test_the_mean_of_two_answers_is_given():
    curves, gain, logit = Ensemble([Saying(identity**0.5, 2.0, 1.0), Saying(identity, 0.5, 3.0)])(*seen)
    assert torch.allclose(curves, (identity**0.5 + identity) / 2, atol=1e-6)
    assert torch.allclose(gain, torch.ones(()))  # twice and half the light is no change
    assert logit.item() == 2.0


def test_boldness_carries_the_mean_on_from_the_identity():
    halfway, further = identity + 0.5 * (identity**0.8 - identity), identity + 0.6 * (identity**0.8 - identity)
    assert torch.allclose(bolder(halfway, torch.tensor(1.2)), further, atol=1e-6)
    _, gain, _ = Ensemble([Saying(identity, 1.2, 0.0)] * 2, boldness=2.0)(*seen)
    assert torch.allclose(gain, torch.tensor(1.44))


def test_bold_curves_still_rise_and_stay_in_range():
    flat = torch.full((1, 3, 33), 0.2)
    curves = bolder(flat, torch.tensor(1.5))
    assert (curves.diff(dim=2) >= 0).all() and curves.min() >= 0 and curves.max() <= 1
    assert torch.equal(bolder(identity**3, torch.tensor(1.0)).round(decimals=5), (identity**3).round(decimals=5))


@pytest.mark.parametrize(("gain", "share"), [(1.02, 0.0), (1.04, 0.0), (1.1, 0.84), (1.2, 0.96)])
def test_small_corrections_are_held_back_and_large_ones_are_made(gain, share):
    """On a mid grey, 2 % more light are 2.55 levels; the reserve is 5.1."""
    curves, light, _ = Ensemble([Saying(identity, gain, 0.0)], reserve=0.04 * 127.5)(*seen)
    assert torch.allclose(light, torch.tensor(gain**share), atol=1e-4)
    assert torch.allclose(curves, identity, atol=1e-6)


def test_what_is_held_back_is_held_back_picture_by_picture():
    both = [torch.cat((plane, plane)) for plane in seen]
    both[0][1] = 0.02  # so dark that nothing can change much
    _, light, _ = Ensemble([Saying(identity.repeat(2, 1, 1), 1.2, 0.0)], reserve=5.0)(*both)
    assert light[0].mean() > 1.15 and light[1].mean() == 1
