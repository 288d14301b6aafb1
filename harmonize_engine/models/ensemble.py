"""Several networks asked at once: where they disagree, the mean is nearer to the truth than either of them."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harmonize_engine.models.rendering import foreground_mean, render


class Ensemble(nn.Module):
    """Average the answers of networks with curves and light maps of the same sizes, in display-encoded sRGB.

    boldness: how far their mean is carried on, from the identity. Networks trained apart shrink apart what they are unsure
    of; the mean of two is more certain than either, and may go further.
    reserve: levels (RMS over the foreground). A correction that would change it by that or less is not made, one that would
    change it by m levels is made to a share of 1 - (reserve / m)^2: the non-negative garrote (Breiman, 1995). Small
    corrections are mostly error, as a network's error hardly depends on how wrong a composite is; large ones are not.
    Both are chosen on photographs kept for calibration.
    """

    def __init__(self, members: Sequence[nn.Module], boldness: float = 1.0, reserve: float = 0.0) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.boldness, self.reserve = boldness, reserve

    def forward(
        self, composite: Tensor, mask: Tensor, background: Tensor, reference: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See Parametric.forward."""
        answers = [member(composite, mask, background, reference) for member in self.members]
        curves = torch.stack([answer[0] for answer in answers]).mean(0)
        light = torch.stack([answer[1].log() for answer in answers]).mean(0)
        logits = torch.stack([answer[2] for answer in answers]).mean(0)
        result = render(composite, mask, curves, light.exp())
        moved = (255**2 * foreground_mean((result - composite) ** 2, mask)).clamp_min(1e-6)
        strength = self.boldness * (1 - self.reserve**2 / moved).clamp_min(0.0)
        return bolder(curves, strength[:, None, None]), (strength[:, None, None, None] * light).exp(), logits


def bolder(curves: Tensor, strength: Tensor) -> Tensor:
    """Carry rising curves (N, 3, K) in [0,1] on from the identity, so that they still rise and stay in [0,1].

    strength: (N, 1, 1); below 1 they come nearer to it, at 0 they are it.
    """
    even = 1 / (curves.shape[2] - 1)
    steps = F.relu(even + strength * (curves.diff(dim=2) - even))
    black = strength * curves[..., :1]
    return torch.cat((black, black + steps.cumsum(2)), 2).clamp(0.0, 1.0)
