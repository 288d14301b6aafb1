import torch
from torch import nn

from harmonize_engine.models.ensemble import Ensemble

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
