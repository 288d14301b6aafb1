from dataclasses import replace

import pytest
import torch

from harmonize_engine.models.discriminator import DiscriminatorConfig
from harmonize_engine.training.adversary import Adversary
from harmonize_engine.training.config import TrainingConfig

config = TrainingConfig(discriminator=DiscriminatorConfig(width=8, strides=(4, 2)), discriminator_rate=3e-3)
mask = torch.zeros(4, 1, 64, 64)
mask[:, :, 16:48, 16:48] = 1


def foreign(count=4, seed=0):
    """Grey photographs, and the same with a blue foreground."""
    grey = 0.5 + 0.05 * torch.randn((count, 3, 64, 64), generator=torch.Generator().manual_seed(seed))
    blue = torch.tensor([0.3, 0.4, 0.8]).view(1, 3, 1, 1)
    return grey, grey + (blue - grey) * mask


def test_it_learns_to_point_at_foreign_foregrounds_and_its_opinion_says_which_way_to_go():
    torch.manual_seed(0)
    adversary = Adversary(config, torch.device("cpu"))
    for step in range(60):
        photographs, composites = foreign(seed=step)
        adversary.optimiser.zero_grad()
        loss, told = adversary.mistakes(composites, mask, photographs)
        loss.backward()
        adversary.optimiser.step()
    assert told["belief in results"] < 0.3 < 0.7 < told["belief in photographs"]
    photographs, composites = foreign(seed=99)
    assert adversary.opinion(composites) > adversary.opinion(photographs)
    composites.requires_grad_(True)
    adversary.opinion(composites).backward()
    blue = -(composites.grad[:, 2] * mask[:, 0]).sum()
    assert blue < 0  # less blue looks more real


def test_its_opinion_trains_the_results_and_not_itself():
    adversary = Adversary(config, torch.device("cpu"))
    results = foreign()[1].requires_grad_(True)
    adversary.opinion(results).backward()
    assert results.grad is not None and results.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in adversary.network.parameters())
    assert all(parameter.requires_grad for parameter in adversary.network.parameters())


def test_the_background_of_a_fake_counts_as_real():
    """With an empty mask a fake is asked to look real everywhere: both halves of the loss are then the same."""
    adversary = Adversary(replace(config), torch.device("cpu"))
    photographs = foreign()[0]
    adversary.network.eval()
    with torch.no_grad():
        loss, _ = adversary.mistakes(photographs, torch.zeros_like(mask), photographs)
        assert float(loss) == pytest.approx(float(adversary.opinion(photographs)), rel=1e-5)
