"""Four families of synthetic composites: a photograph whose foreground alone is changed, the photograph is the truth.

`filters`     (a) Harmonizer's six filters in reverse order, arguments uniform within their ranges (method of
              Ke et al., ECCV 2022, sec. 4: composites are made by the inverse of the restoring order).
`statistics`  (b) the foreground takes over the colour statistics of another photograph's foreground, by one of three
              transfers: mean and spread in CIELAB (Reinhard 2001), full covariance in RGB (Pitie 2007, linear
              Monge-Kantorovich), or one cumulative histogram per channel (Fecker 2008). The idea behind iHarmony4.
`retouch`     (c) what an artist does: exposure, white balance, smooth tone curves per channel, saturation, and local
              dodge and burn (low-frequency gains, light gradients), in display values or in linear light.
`darkroom`    (d) the same and more, step by step: film-like curves, split toning, vibrance, haze, brushes, side light
              (darkroom.py). Not among the benchmark's trained families; keep clear of its held-out ones.

Images are (N, 3, H, W), display-encoded sRGB in [0,1]; masks (N, 1, H, W) in [0,1]; `magnitude` (N,) in [0,1] scales every
change from nothing to the full range. All randomness comes from the given torch.Generator.
"""

import torch
from torch import Generator, Tensor

from harmonize_engine.training import filters
from harmonize_engine.training.darkroom import by_darkroom
from harmonize_engine.training.retouch import by_retouch, uniform
from harmonize_engine.training.transfers import by_statistics

names = ("filters", "statistics", "retouch", "darkroom")


def by_filters(images: Tensor, magnitude: Tensor, generator: Generator) -> Tensor:
    """Family (a): shadow, highlight, saturation, contrast, brightness, temperature, each with a random argument."""
    changed = images
    for apply in reversed(filters.restore_order):
        argument = uniform((len(images),), generator) * filters.ranges[apply.__name__] * magnitude
        changed = apply(changed, argument)
    return changed


def composite(
    images: Tensor,
    masks: Tensor,
    family: Tensor,
    magnitude: Tensor,
    others: Tensor,
    other_masks: Tensor,
    generator: Generator,
) -> Tensor:
    """Change each photograph's foreground by the family of its row (0 to 3), by its magnitude (0 = untouched).

    Returns composites (N, 3, H, W) = images * (1 - masks) + changed * masks, display-encoded sRGB in [0,1].
    """
    changed = images.clone()
    for which in range(len(names)):
        rows = (family == which).nonzero().flatten()
        if not len(rows):
            continue
        part, amount = images[rows], magnitude[rows]
        if which == 0:
            changed[rows] = by_filters(part, amount, generator)
        elif which == 1:
            changed[rows] = by_statistics(part, masks[rows], others[rows], other_masks[rows], amount, generator)
        elif which == 2:
            changed[rows] = by_retouch(part, amount, generator)
        else:
            changed[rows] = by_darkroom(part, masks[rows], amount, generator)
    return torch.where(magnitude[:, None, None, None] > 0, images + (changed - images) * masks, images)
