"""Real composites on the fly: the foreground of one photograph on the background of another (PIH's second stream).

The foreground is scaled to fit the box of the one it takes the place of, and set on its centre, moved a little (method of
the paper); one that its photograph cuts off below is set on the lower border. So that no trace of the work tells real from
fake, both are made alike: the background is filled under all foregrounds, and either the foreign one is pasted over it, or
the photograph's own, shrunk as other foreign ones are. Each shows as much filled background beside as many pasted seams;
they differ in nothing but in whose foreground it is.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from harmonize_engine.training.plates import filled, grown, pasted

most_enlarged = 1.6  # a foreground that is enlarged further looks soft beside its background


@dataclass(frozen=True, eq=False)
class Collage:
    """Composites and, for the discriminator, the photographs themselves made the same way; plates: without foreground."""

    composites: Tensor
    masks: Tensor
    plates: Tensor
    photographs: Tensor


def collage(images: Tensor, masks: Tensor, others: Tensor, other_masks: Tensor, generator: Generator) -> Collage:
    """Paste the others' foregrounds into images (N, 3, H, W), display-encoded in [0,1], in place of their own."""
    foreign = placed(torch.cat((others, other_masks), 1), boxes(other_masks), boxes(masks), generator)
    shrunk = (foreign[:, 3:].mean((1, 2, 3)) / masks.mean((1, 2, 3)).clamp_min(1e-4)).sqrt().clamp(0.4, 1.1).roll(1)
    box = boxes(masks)
    smaller = torch.cat((box[:, :2], box[:, 2:] * shrunk[:, None]), 1)
    own = placed(torch.cat((images, masks), 1), box, smaller, generator)
    holes = grown(torch.maximum(torch.maximum(masks, foreign[:, 3:]), own[:, 3:]))
    plates = filled(images, holes)
    return Collage(
        pasted(foreign[:, :3], foreign[:, 3:], plates),
        foreign[:, 3:],
        plates,
        pasted(own[:, :3], own[:, 3:], plates),
    )


def boxes(masks: Tensor) -> Tensor:
    """The boxes around foregrounds as centre x, centre y, width, height (N, 4), in [-1,1] coordinates of the picture.

    An empty mask has the box of the whole picture.
    """
    sides: list[tuple[Tensor, Tensor]] = []
    for axis in (2, 3):  # over the rows: which columns are in use, and the other way about
        used = (masks > 0.5).any(axis).flatten(1)
        used = used | ~used.any(1, keepdim=True)
        count = used.shape[1]
        place = torch.arange(count, device=masks.device).expand_as(used)
        first = torch.where(used, place, count).amin(1)
        last = torch.where(used, place, -1).amax(1) + 1
        sides.append(((first + last).float() / count - 1, (last - first).float() * 2 / count))
    (x, width), (y, height) = sides
    return torch.stack((x, y, width, height), 1)


def placed(planes: Tensor, box: Tensor, into: Tensor, generator: Generator, jitter: float = 0.04) -> Tensor:
    """Scale RGB and mask (N, 4, H, W) so that their boxes fit those given, centred there but for a jitter (half: 1).

    Pictures keep their proportions. Outside the moved picture its border is repeated and its mask is 0.
    """
    scale = (into[:, 2:] / box[:, 2:]).amin(1).clamp(0.1, most_enlarged)
    move = (torch.rand((len(planes), 2), generator=generator) * 2 - 1) * jitter
    centre = into[:, :2] + move
    below = box[:, 1] + box[:, 3] / 2 > 0.97
    centre[:, 1] = torch.where(below, 1 - box[:, 3] / 2 * scale, centre[:, 1])
    theta = torch.zeros(len(planes), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / scale
    theta[:, :, 2] = box[:, :2] - centre / scale[:, None]
    grid = F.affine_grid(theta, [*planes.shape], align_corners=False)
    images = F.grid_sample(planes[:, :3], grid, padding_mode="border", align_corners=False)
    masks = F.grid_sample(planes[:, 3:], grid, padding_mode="zeros", align_corners=False)
    return torch.cat((images, masks), 1).clamp(0, 1)
