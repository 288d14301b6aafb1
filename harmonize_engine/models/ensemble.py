"""Several networks asked at once: where they disagree, the mean is nearer to the truth than either of them."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Ensemble(nn.Module):
    """Average the answers of networks with curves and light maps of the same sizes, in display-encoded sRGB.

    boldness: how far their mean is carried on, from the identity. Networks trained apart shrink apart what they are unsure
    of; the mean of two is more certain than either, and may go further. Chosen on photographs kept for calibration.
    """

    def __init__(self, members: Sequence[nn.Module], boldness: float = 1.0) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.boldness = boldness

    def forward(
        self, composite: Tensor, mask: Tensor, background: Tensor, reference: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See Parametric.forward."""
        answers = [member(composite, mask, background, reference) for member in self.members]
        curves = torch.stack([answer[0] for answer in answers]).mean(0)
        light = torch.stack([answer[1].log() for answer in answers]).mean(0)
        logits = torch.stack([answer[2] for answer in answers]).mean(0)
        return bolder(curves, self.boldness), (self.boldness * light).exp(), logits


def bolder(curves: Tensor, boldness: float) -> Tensor:
    """Carry rising curves (N, 3, K) in [0,1] on from the identity, so that they still rise and stay in [0,1]."""
    even = 1 / (curves.shape[2] - 1)
    steps = F.relu(even + boldness * (curves.diff(dim=2) - even))
    black = boldness * curves[..., :1]
    return torch.cat((black, black + steps.cumsum(2)), 2).clamp(0.0, 1.0)
