"""Several networks asked at once: where they disagree, the mean is nearer to the truth than either of them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Ensemble(nn.Module):
    """Average the answers of networks with curves and light maps of the same sizes, in display-encoded sRGB."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(
        self, composite: Tensor, mask: Tensor, background: Tensor, reference: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See Parametric.forward."""
        answers = [member(composite, mask, background, reference) for member in self.members]
        curves = torch.stack([answer[0] for answer in answers]).mean(0)
        light = torch.stack([answer[1].log() for answer in answers]).mean(0)
        logits = torch.stack([answer[2] for answer in answers]).mean(0)
        return curves, light.exp(), logits
