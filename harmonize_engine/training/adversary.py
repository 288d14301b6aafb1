"""The discriminator and its training: it learns to tell foreign foregrounds from photographs' own, pixel by pixel."""

import torch
import torch.nn.functional as F
from torch import Tensor

from harmonize_engine.models.discriminator import Discriminator
from harmonize_engine.training.config import TrainingConfig


class Adversary:
    """A discriminator with its optimiser."""

    def __init__(self, config: TrainingConfig, device: torch.device) -> None:
        self.network = Discriminator(config.discriminator).to(device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), config.discriminator_rate, config.betas)

    def opinion(self, results: Tensor) -> Tensor:
        """How far results (N, 3, H, W) are from being taken for photographs: the generator's loss. Trains nothing here."""
        self.network.requires_grad_(False)
        logits = self.network(results)
        self.network.requires_grad_(True)
        return F.binary_cross_entropy_with_logits(logits.float(), torch.ones_like(logits, dtype=torch.float32))

    def mistakes(self, results: Tensor, masks: Tensor, photographs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Its own loss (PIH's masked GAN loss): photographs are real everywhere, results only outside of their masks."""
        found = self.network(results.detach()).float()
        real = self.network(photographs).float()
        fake_loss = F.binary_cross_entropy_with_logits(found, 1 - masks)
        real_loss = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
        inside = (torch.sigmoid(found.detach()) * masks).sum() / masks.sum().clamp_min(1e-6)
        genuine = torch.sigmoid(real.detach()).mean()
        return (fake_loss + real_loss) / 2, {"belief in results": inside, "belief in photographs": genuine}
