"""The network of 'Semi-supervised Parametric Real-world Image Harmonization' (Wang et al., CVPR 2023), sizes selectable.

Curves: a ResNet sees composite, background and mask, and gives 32 knots per channel, each a sigmoid: neither rising nor
anchored. Knot i lies at (i + 0.5) / 32 and the curve is flat beyond the outer knots, as the paper's lookup table is when
sampled. Light: a U-Net sees the same and the curved composite, and gives a gain per place in [0.5, 1]: it only darkens.

With the defaults of PihConfig these are the paper's 23.7 million parameters and 69.5 of its 69.9, for inputs of 512 x 512.
Differs from the paper: a harmony head, which our engine asks for, reads features that it cannot change; the light map is
given at an eighth of the input (the engine enlarges it), where the paper enlarges its 16 x 16 features to the whole of it.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harmonize_engine.models.rendering import apply_curves
from harmonize_engine.models.resnet import ResNet


@dataclass(frozen=True)
class PihConfig:
    """Sizes of the network; the defaults are the paper's at 512 x 512."""

    depths: tuple[int, ...] = (3, 4, 6, 3)  # bottleneck blocks of the curves network
    width: int = 64  # of its first stage
    light_width: int = 32  # of the light network's first layer; doubled at every further one
    strides: tuple[int, ...] = (4, 4, 2, 4, 2, 2)  # of its layers after the first
    grid_level: int = 3  # the layer whose places are the light map's own, 16 x 16
    knots: int = 32
    least_gain: float = 0.5


class Pih(nn.Module):
    """Predict curves and light of composites in display-encoded sRGB, as the paper does."""

    def __init__(self, config: PihConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PihConfig()
        self.backbone = ResNet(7, config.depths, config.width)
        self.curves = nn.Linear(self.backbone.features, 3 * config.knots)
        self.harmony = nn.Linear(self.backbone.features, 1)
        self.light = LightMap(config)

    def forward(
        self, composite: Tensor, mask: Tensor, background: Tensor, reference: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Predict from what Parametric.forward takes; `reference` is not looked at.

        Returns curves (N, 3, 2 * knots + 1) at uniform knots, exactly the curve through the paper's knots; gain
        (N, 1, H/8, W/8) in [0.5, 1]; and the logit of harmony (N, 1).
        """
        background = background + 0 * reference  # an input that is nowhere used would vanish from an exported graph
        features = self.backbone(torch.cat((composite, background, mask), 1)).float()
        knots = torch.sigmoid(self.curves(features)).view(-1, 3, self.config.knots)
        curves = exact_ends(knots)
        changed = composite + (apply_curves(composite.float(), curves) - composite) * mask
        gain = self.light(torch.cat((composite, background, mask, changed), 1))
        return curves, gain, self.harmony(features.detach())

    def attempt(
        self, composite: Tensor, mask: Tensor, background: Tensor, reference: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None]:
        """The same; it trusts itself in everything."""
        return *self(composite, mask, background, reference), None


def exact_ends(knots: Tensor) -> Tensor:
    """Turn values at (i + 0.5) / K (N, 3, K) into the same curve's values at j / 2K (N, 3, 2K + 1).

    Every second of the new knots is an old one, the others lie half way between two; the ends repeat the outer ones.
    """
    between = (knots[..., 1:] + knots[..., :-1]) / 2
    inner = torch.stack((knots[..., :-1], between), 3).flatten(2)
    return torch.cat((knots[..., :1], inner, knots[..., -1:], knots[..., -1:]), 2)


class LightMap(nn.Module):
    """A U-Net with additive skips whose decoder stops at the grid of the light map."""

    def __init__(self, config: PihConfig) -> None:
        super().__init__()
        self.grid_level, self.least = config.grid_level, config.least_gain
        widths = [config.light_width << level for level in range(len(config.strides) + 1)]
        self.down = nn.ModuleList([_layer(10, widths[0], 3, 1)])
        for level, stride in enumerate(config.strides):
            self.down.append(_layer(widths[level], widths[level + 1], 4, stride))
        deeper = range(len(config.strides), config.grid_level, -1)
        self.up = nn.ModuleList([_layer(widths[level], widths[level - 1], 3, 1) for level in deeper])
        self.out = nn.Conv2d(widths[config.grid_level], 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2] // 8, x.shape[3] // 8
        skips: list[Tensor] = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        for number, layer in enumerate(self.up):
            skip = skips[-2 - number]
            x = layer(F.interpolate(x, skip.shape[2:], mode="bilinear", align_corners=False)) + skip
        if (height, width) != tuple(x.shape[2:]):
            x = F.interpolate(x, (height, width), mode="bicubic", align_corners=False)
        return self.least + (1 - self.least) * torch.sigmoid(self.out(x).float())


def _layer(channels: int, width: int, size: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, size, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )
