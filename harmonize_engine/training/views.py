"""How the network sees a photograph: a part of it, mirrored or not, at its own input size, graded a little.

Planes are (N, channels, H, W) in [0,1], display-encoded; channel 3 is the mask, every other triple of channels a picture.
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def random_views(
    planes: Tensor, size: tuple[int, int], generator: Generator, least: float = 0.7, turn: float = 0.0
) -> Tensor:
    """Cut, turn, flip and grade whole photographs at random, the same for all of a photograph's planes.

    Cuts keep `least` to all of each side; a cut that loses the foreground is replaced by the whole picture. turn: at most,
    degrees. The grade (small exposure, white balance and contrast changes of the whole photograph) makes the network
    compare instead of memorise.
    """
    count = len(planes)
    scale = least + (1 - least) * torch.rand((count, 1), generator=generator).expand(-1, 2)
    centre = (torch.rand((count, 2), generator=generator) * 2 - 1) * (1 - scale)
    flip = torch.where(torch.rand((count,), generator=generator) < 0.5, -1.0, 1.0)
    turns = turn * (2 * torch.rand(count, generator=generator) - 1) if turn else torch.zeros(count)
    cut = _maps(scale, centre, flip, turns, size[0] / size[1])
    views = _sample(planes, cut, size)
    area = views[:, 3:4].mean((1, 2, 3))
    lost = ((area < 0.015) | (area > 0.85)).nonzero().flatten()
    if len(lost):
        whole = _maps(torch.ones(count, 2), torch.zeros(count, 2), flip, torch.zeros(count), 1.0)
        views[lost] = _sample(planes[lost], whole[lost], size)
    graded = (torch.rand((count, 1, 1, 1), generator=generator) < 0.5).float()
    noise = torch.randn((count, 5, 1, 1), generator=generator) * graded
    gain, power = (0.08 * noise[:, :3] + 0.12 * noise[:, 3:4]).exp(), (0.12 * noise[:, 4:5]).exp()
    parts = [views[:, 3:4].clamp(0, 1) if part.shape[1] == 1 else _graded(part, gain, power) for part in _parts(views)]
    return torch.cat(parts, 1)


def _maps(scale: Tensor, centre: Tensor, flip: Tensor, turn: Tensor, ratio: float) -> Tensor:
    """Say where views lie: affine maps (N, 2, 3) of squares, from pictures whose height is `ratio` times their width."""
    cos, sin = torch.deg2rad(turn).cos(), torch.deg2rad(turn).sin()
    across = torch.stack((flip * cos, flip * sin / ratio), 1)
    down = torch.stack((-sin * ratio, cos), 1)
    return torch.stack((across * scale, down * scale, centre), 2)


def _graded(picture: Tensor, gain: Tensor, power: Tensor) -> Tensor:
    return (picture.clamp(1e-4, 1) ** power * gain).clamp(0, 1)


def _parts(planes: Tensor) -> list[Tensor]:
    return list(planes.split([3, 1, *[3] * ((planes.shape[1] - 4) // 3)], 1))


def _sample(planes: Tensor, theta: Tensor, size: tuple[int, int]) -> Tensor:
    grid = F.affine_grid(theta, [len(planes), planes.shape[1], *size], align_corners=False)
    return F.grid_sample(planes, grid, mode="bilinear", padding_mode="border", align_corners=False)


def plain_views(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """Shrink whole photographs to the network's size, with nothing random."""
    return F.interpolate(planes, size, mode="area")
