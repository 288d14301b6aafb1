"""Backgrounds without their foreground: the hole is filled smoothly from its rim (push-pull, Gortler et al. 1996).

The paper had its backgrounds inpainted by a network beforehand; this costs a millisecond and can be done on the fly.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def grown(masks: Tensor, by: int = 2) -> Tensor:
    """Widen masks (N, 1, H, W) by some pixels: colours of the foreground bleed over its edge."""
    size = 2 * by + 1
    return F.max_pool2d(F.max_pool2d(masks, (size, 1), 1, (by, 0)), (1, size), 1, (0, by))


def filled(images: Tensor, holes: Tensor) -> Tensor:
    """Fill holes (N, 1, H, W) of images (N, 3, H, W), any encoding: smooth colours, and the mirrored picture's texture."""
    smooth = _pulled(images, 1 - holes)
    known = images + (smooth - images) * holes
    soft = F.avg_pool2d(known, (9, 1), 1, (4, 0), count_include_pad=False)
    soft = F.avg_pool2d(soft, (1, 9), 1, (0, 4), count_include_pad=False)
    detail = (known - soft) * (1 - grown(holes, 4))
    return known + (detail.flip(3) + detail.flip(2)) * 0.7 * holes


def _pulled(images: Tensor, weights: Tensor) -> Tensor:
    """Averages where the weights are known, the next coarser level's where they are not."""
    height, width = images.shape[2:]
    if height <= 1 and width <= 1:
        return images
    known = F.avg_pool2d(weights, 2, ceil_mode=True)
    smaller = F.avg_pool2d(images * weights, 2, ceil_mode=True) / known.clamp_min(1e-6)
    coarse = _pulled(smaller * (known > 1e-6), (known * 4).clamp_max(1.0))
    coarse = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    return images * weights + coarse * (1 - weights)


def pasted(foregrounds: Tensor, masks: Tensor, plates: Tensor) -> Tensor:
    """Lay foregrounds over backgrounds, all (N, 3, H, W), by masks (N, 1, H, W)."""
    return plates + (foregrounds - plates) * masks


def shifted(planes: Tensor, generator: torch.Generator, share: float = 0.02) -> Tensor:
    """Move each picture by up to a share of its sides, whole pixels, its border repeated (PIH: 10 of 512 pixels)."""
    rows, columns = (max(1, round(share * side)) for side in planes.shape[2:])
    moves = torch.rand((len(planes), 2), generator=generator) * 2 - 1
    moved = torch.empty_like(planes)
    padded = F.pad(planes, (columns, columns, rows, rows), "replicate")
    for n, (down, right) in enumerate(moves.tolist()):
        y, x = rows + round(down * rows), columns + round(right * columns)
        moved[n] = padded[n, :, y : y + planes.shape[2], x : x + planes.shape[3]]
    return moved


def repasted(images: Tensor, masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Cut foregrounds out and paste them back, moved a little, over their filled holes: a real photograph with a seam.

    Returns images, masks and the filled backgrounds.
    """
    plates = filled(images, grown(masks))
    moved = shifted(torch.cat((images, masks), 1), generator)
    return pasted(moved[:, :3], moved[:, 3:], plates), moved[:, 3:], plates
