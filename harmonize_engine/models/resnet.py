"""ResNet with bottleneck blocks (He et al., CVPR 2016, table 1), written plainly: torchvision is not needed."""

import torch.nn.functional as F
from torch import Tensor, nn

growth = 4  # a bottleneck gives four times the channels that its middle has


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride), 1x1, each normalised, added to the input."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.reduce = _convolution(channels, width, 1)
        self.spatial = _convolution(width, width, 3, stride)
        self.expand = _convolution(width, growth * width, 1)
        same = stride == 1 and channels == growth * width
        self.shortcut = nn.Identity() if same else _convolution(channels, growth * width, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.expand(F.relu(self.spatial(F.relu(self.reduce(x))))) + self.shortcut(x))


class ResNet(nn.Module):
    """Images (N, channels, H, W) to pooled features (N, features). depths (3, 4, 6, 3) and width 64 make a ResNet-50."""

    def __init__(self, channels: int, depths: tuple[int, ...] = (3, 4, 6, 3), width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Sequential(_convolution(channels, width, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        blocks: list[nn.Module] = []
        entering = width
        for stage, depth in enumerate(depths):
            middle = width << stage
            for number in range(depth):
                blocks.append(Bottleneck(entering, middle, 2 if number == 0 and stage > 0 else 1))
                entering = growth * middle
        self.blocks = nn.Sequential(*blocks)
        self.features = entering
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.stem(x)).mean((2, 3))


def _convolution(channels: int, width: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, width, size, stride, size // 2, bias=False), nn.BatchNorm2d(width))
