"""The U-Net discriminator of the unsupervised stream: one opinion per pixel on whether it belongs (PIH, after Real-ESRGAN).

It sees display-encoded RGB alone, neither mask nor background, so that it has to find the foreground by its colours.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Sizes; the paper's strides for 512 x 512 are (4, 4, 4, 2, 2, 2), ours divide inputs of about 128 x 128 alike."""

    width: int = 16  # of the first layer; doubled at every further one
    strides: tuple[int, ...] = (4, 2, 2, 2)
    coarser: int = 2  # it looks at images this much smaller: light and colour are no matter of single pixels
    skips: int = 2  # of the deepest levels only: fine detail is not what should give a composite away


class Discriminator(nn.Module):
    """RGB (N, 3, H, W) in [0,1] to logits (N, 1, H, W), high where a pixel looks real; first and last layer are plain."""

    def __init__(self, config: DiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DiscriminatorConfig()
        widths = [config.width << level for level in range(len(config.strides) + 1)]
        self.first = nn.Conv2d(3, widths[0], 3, padding=1)
        pairs = list(zip(widths[:-1], widths[1:], config.strides, strict=True))
        self.down = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, s, 1, bias=False)) for a, b, s in pairs)
        self.up = nn.ModuleList(spectral_norm(nn.Conv2d(b, a, 3, padding=1, bias=False)) for a, b, _ in reversed(pairs))
        self.last = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        size = images.shape[2:]
        images = F.avg_pool2d(images, self.config.coarser)
        x = _bend(self.first(images))
        levels = [x]
        for layer in self.down:
            x = _bend(layer(x))
            levels.append(x)
        for number, layer in enumerate(self.up):
            skip = levels[-2 - number]
            x = _bend(layer(F.interpolate(x, skip.shape[2:], mode="bilinear", align_corners=False)))
            if number < self.config.skips:
                x = x + skip
        return F.interpolate(self.last(x), size, mode="bilinear", align_corners=False)


def _bend(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)
