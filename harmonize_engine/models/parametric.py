"""The parametric network: a composite goes in, tone curves, a light map and a harmony score come out.

After 'Semi-supervised Parametric Real-world Image Harmonization' (Wang et al., CVPR 2023): curves for the whole foreground,
then a low-resolution gain map. Differs from the paper, each for an artist's sake: curves are anchored on the identity with
exact ends and cannot turn back; the gain is centred on 1 and works both ways; the pooled features know foreground,
surroundings and reference apart and are joined by colour histograms; a third head scores harmony.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harmonize_engine.models import lite


@dataclass(frozen=True)
class ParametricConfig:
    """Sizes of the network; saved in every checkpoint and in the model card."""

    widths: tuple[int, ...] = (24, 48, 96, 160)  # channels at 1/2, 1/4, 1/8, 1/16
    blocks: tuple[int, ...] = (0, 0, 2, 2)  # residual blocks at each of them
    bins: int = 24  # of each colour histogram
    hidden: int = 384  # of the curves head
    knots: int = 33  # of each tone curve, uniform on [0,1]
    shapes: int = 10  # free numbers behind each tone curve
    log_gain: float = 0.7  # the light map stays within exp(-0.7) .. exp(0.7), about 0.5 .. 2
    backbone: str = ""  # "lite0": EfficientNet-Lite0's stages in place of our own (`widths` are its, `blocks` unread)
    dropout: float = 0.0  # share of what is pooled that is hidden while it learns
    trust: bool = False  # a number per picture that shrinks the whole correction where the network is unsure


class Residual(nn.Module):
    """Depthwise 5x5 and pointwise expansion, added to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(width, width, 5, padding=2, groups=width, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.expand = nn.Conv2d(width, 3 * width, 1)
        self.project = nn.Conv2d(3 * width, width, 1)
        nn.init.zeros_(self.project.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.project(F.silu(self.expand(self.norm(self.spatial(x)))))


def _stages(config: ParametricConfig) -> list[nn.Sequential]:
    widths = (4, *config.widths)
    stages: list[nn.Sequential] = []
    for i, count in enumerate(config.blocks):
        halved = nn.Conv2d(widths[i], widths[i + 1], 3, 2, 1, bias=False)
        blocks = (Residual(widths[i + 1]) for _ in range(count))
        stages.append(nn.Sequential(halved, nn.BatchNorm2d(widths[i + 1]), nn.SiLU(), *blocks))
    return stages


class Parametric(nn.Module):
    """Predict curves, light map and harmony of composites in display-encoded sRGB."""

    def __init__(self, config: ParametricConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ParametricConfig()
        self.stages = nn.ModuleList(lite.stages() if config.backbone else _stages(config))
        # ready-made stages know no mask: it is added to what the later ones see
        told = config.widths[1:3] if config.backbone else ()
        self.mask_in = nn.ModuleList(nn.Conv2d(1, width, 1) for width in told)
        pooled = 3 * (config.widths[-1] + config.widths[-2] + config.widths[-3])
        colours = 3 * (7 * config.bins + 14)
        # features differ in scale and never change sign: unless each is standardised, the first layers saturate for good
        self.colours = nn.Sequential(nn.BatchNorm1d(colours), nn.Linear(colours, config.hidden), nn.SiLU())
        self.body = nn.Sequential(
            nn.BatchNorm1d(pooled + config.hidden),
            nn.Linear(pooled + config.hidden, config.hidden),
            nn.SiLU(),
            nn.LayerNorm(config.hidden),
            nn.Linear(config.hidden, config.hidden),
            nn.SiLU(),
        )
        self.curves = nn.Linear(config.hidden, 3 * (config.shapes + 1))
        self.harmony = nn.Linear(config.hidden, 1)
        self.trust = nn.Linear(config.hidden, 1) if config.trust else None
        self.light_in = nn.Conv2d(config.widths[-2] + 5, 64, 3, padding=1)
        self.light_deep = nn.Conv2d(config.widths[-1], 64, 1)
        self.light_global = nn.Linear(config.hidden, 64)
        self.light_norm = nn.BatchNorm2d(64)
        self.light_mid = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.SiLU())
        self.light_out = nn.Conv2d(64, 1, 3, padding=1)
        for head in (self.curves, self.light_out, *self.mask_in):  # start from "leave it as it is"
            for parameter in head.parameters():
                nn.init.zeros_(parameter)
        self.register_buffer("basis", _smooth_basis(config.shapes, config.knots - 1), persistent=False)
        self.basis: Tensor

    def forward(
        self, composite: Tensor, mask: Tensor, background: Tensor, reference: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Predict from composite and background (N, 3, H, W) and mask and reference (N, 1, H, W), all in [0,1].

        H and W are multiples of 16. `background` may be the composite itself; `reference` weighs the pixels of `background`
        to match (1 - mask where nothing better is known). Returns curves (N, 3, K) in [0,1] at uniform knots, gain
        (N, 1, H/8, W/8), and the logit of harmony (N, 1).
        """
        curves, gain, harmony, trust = self.attempt(composite, mask, background, reference)
        if trust is not None:
            curves, gain = shrunk(curves, gain, trust)
        return curves, gain, harmony

    def attempt(
        self, composite: Tensor, mask: Tensor, background: Tensor, reference: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Predict the whole correction, not shrunk, and how much of it to trust (N, 1) in [0,1], None where that is all."""
        around = surroundings(mask)
        colours = self.colours(
            torch.cat(
                (
                    colour_statistics(composite, mask, self.config.bins),
                    colour_statistics(background, reference, self.config.bins),
                    colour_statistics(composite, around, self.config.bins),
                ),
                1,
            )
        )
        levels = self._levels(composite - 0.5, mask)
        pooled = [p for i, level in enumerate(levels[1:]) for p in _pool(level, 4 << i, mask, around)]
        standard = self.body[0](torch.cat((*pooled, colours), 1))
        context = self.body[1:](F.dropout(standard, self.config.dropout, self.training))
        curves = self._tone_curves(self.curves(context))
        gain = self._light_map(levels, context, composite, mask)
        trust = None if self.trust is None else torch.sigmoid(self.trust(context.detach()).float() + 3)
        return curves, gain, self.harmony(context), trust

    def _levels(self, x: Tensor, mask: Tensor) -> list[Tensor]:
        """Give each stage's features."""
        if not self.mask_in:
            x = torch.cat((x, mask), 1)
        levels: list[Tensor] = []
        for i, stage in enumerate(self.stages):
            if self.mask_in and i >= 2:
                x = x + self.mask_in[i - 2](F.avg_pool2d(mask, 2 << (i - 1)))
            x = stage(x)
            levels.append(x)
        return levels

    def _tone_curves(self, numbers: Tensor) -> Tensor:
        """Rising curves: softplus steps around the identity's, smooth by a cosine basis, and a shift of black."""
        numbers = numbers.float().view(-1, 3, self.config.shapes + 1)
        steps = F.softplus(numbers[..., 1:] @ self.basis + 0.5413) / (self.config.knots - 1)  # softplus(0.5413) = 1
        black = 0.5 * torch.tanh(numbers[..., :1])
        return torch.cat((black, black + steps.cumsum(2)), 2).clamp(0.0, 1.0)

    def _light_map(self, levels: list[Tensor], context: Tensor, composite: Tensor, mask: Tensor) -> Tensor:
        fine, deep = _unit(levels[-2]), _unit(levels[-1])
        height, width = fine.shape[2:]
        near = F.avg_pool2d(torch.cat((composite, mask), 1), 8)
        weight = F.avg_pool2d(mask, 8)
        mean = (composite * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp_min(1e-3)
        contrast = (near[:, :3] - mean).mean(1, keepdim=True) * (weight > 0.05).to(near)
        x = self.light_in(torch.cat((fine, near, contrast), 1))
        x = x + F.interpolate(self.light_deep(deep), (height, width), mode="bilinear", align_corners=False)
        x = F.silu(self.light_norm(x) + self.light_global(context)[:, :, None, None])
        light = 4 * self.light_out(self.light_mid(x)).float()  # times 4: light learns more slowly than colour
        # brightness as a whole belongs to the curves: left in, it drowns what differs from place to place
        light = light - (light * weight).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True).clamp_min(1e-3)
        limit = self.config.log_gain
        return (limit * torch.tanh(light / limit)).exp()


def shrunk(curves: Tensor, gain: Tensor, trust: Tensor) -> tuple[Tensor, Tensor]:
    """Take a share of a correction: curves (N, 3, K) on the way from the identity, gain (N, 1, h, w) in logarithms."""
    identity = torch.linspace(0, 1, curves.shape[2], device=curves.device)
    return identity + trust[:, :, None] * (curves - identity), gain ** trust[:, :, None, None]


def _unit(level: Tensor) -> Tensor:
    """Scale the features of each place to length one per channel: a few large ones must not drown the rest."""
    level = level.float()
    return level * torch.rsqrt(level.square().mean(1, keepdim=True) + 1e-6)


def surroundings(mask: Tensor) -> Tensor:
    """Weigh the pixels next to the foreground: within a sixteenth of the picture, outside the mask."""
    reach = torch.sym_min(mask.shape[2], mask.shape[3]) // 16
    near = _box(mask.shape[2], reach, mask) @ mask @ _box(mask.shape[3], reach, mask).T
    return (near * 4).clamp(0.0, 1.0) * (1 - mask)


def _box(size: int, reach: float, like: Tensor) -> Tensor:
    """Average each of `size` pixels with its neighbours up to `reach` away, as a matrix (ONNX pools have fixed windows)."""
    place = torch.arange(size, device=like.device)
    near = ((place[:, None] - place).abs() <= reach).float()
    return near / near.sum(1, keepdim=True)


def colour_statistics(images: Tensor, weights: Tensor, bins: int) -> Tensor:
    """Histograms (linear binning), means and spreads of R, G, B, luma, two opponent colours and saturation.

    images (N, 3, H, W) in [0,1], weights (N, 1, H, W); every second pixel each way is read. Returns (N, 7 * bins + 14).
    """
    images, weights = images[..., ::2, ::2].float(), weights[..., ::2, ::2].float()
    red, green, blue = images[:, 0:1], images[:, 1:2], images[:, 2:3]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    spread = images.amax(1, keepdim=True) - images.amin(1, keepdim=True)
    opponents = torch.cat((0.5 + (red - blue), 0.5 + (green - (red + blue) / 2)), 1)
    values = torch.cat((images, luma, opponents, spread), 1).clamp(0.0, 1.0).flatten(2)
    weight = weights.flatten(2)
    weight = weight / weight.sum(2, keepdim=True).clamp_min(1e-3)
    place = values * (bins - 1)
    left = place.floor().clamp(0, bins - 2)
    right = (place - left) * weight
    index = left.long()
    histogram = torch.zeros(values.shape[0], 7, bins, device=values.device)
    histogram = histogram.scatter_add(2, index, weight - right).scatter_add(2, index + 1, right)
    mean = (values * weight).sum(2, keepdim=True)
    deviation = (((values - mean) ** 2) * weight).sum(2).clamp_min(1e-8).sqrt()
    return torch.cat(((histogram * 4).sqrt().flatten(1), mean[..., 0] * 4, deviation * 8), 1)


def _pool(level: Tensor, scale: int, mask: Tensor, around: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Average features at 1/scale over foreground, surroundings and background, each (N, C)."""
    inside, near = F.avg_pool2d(mask, scale), F.avg_pool2d(around, scale)
    weights = torch.cat((inside, near, 1 - inside), 1).flatten(2)
    weights = weights / weights.sum(2, keepdim=True).clamp_min(1e-3)
    means = level.float().flatten(2) @ weights.transpose(1, 2)
    return means[..., 0], means[..., 1], means[..., 2]


def _smooth_basis(shapes: int, steps: int) -> Tensor:
    """Cosines (shapes, steps) of rising frequency and falling weight: few numbers, smooth slopes."""
    x = (torch.arange(steps) + 0.5) / steps
    order = torch.arange(shapes)[:, None]
    return torch.cos(torch.pi * order * x) / (1 + 0.3 * order)
