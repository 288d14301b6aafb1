import numpy as np
import pytest

from harmonize_engine import Curves, harmonize, proxy, render

from .test_fit import photograph
from .test_render import soft_mask


def tinted(strength):
    """A photograph whose foreground alone is darker and bluer."""
    picture, mask = photograph(), soft_mask(150, 200)
    m = mask[..., None] / 255 * strength
    gains = np.array([0.5, 0.6, 0.9])
    return (picture * (1 - m + m * gains)).astype(np.uint8), mask, picture


def means(picture, weight):
    return (picture * weight[..., None]).sum((0, 1)) / weight.sum()


def test_the_foreground_takes_over_the_mean_of_its_surroundings():
    composite, mask, _ = tinted(1.0)
    result = render(composite, mask, harmonize(proxy(composite, mask), "statistics"))
    outside = means(composite, (mask == 0) * 1.0)
    before = np.abs(means(composite, mask == 255) - outside).max()
    after = np.abs(means(result, mask == 255) - outside).max()
    assert before > 50
    assert after < before / 3


def test_it_is_one_set_of_curves_that_never_fall():
    composite, mask, _ = tinted(1.0)
    (curves,) = harmonize(proxy(composite, mask), "statistics").adjustments
    assert isinstance(curves, Curves)
    assert (np.diff(curves.y, axis=1) >= 0).all()


@pytest.mark.parametrize("kind", ["background", "reference"])
def test_a_clean_plate_or_a_region_can_be_matched_instead(kind):
    composite, mask, picture = tinted(1.0)
    if kind == "background":
        seen = proxy(composite, mask, background=np.full_like(picture, 200))
    else:
        composite[:, :20] = 200
        region = np.zeros_like(mask)
        region[:, :20] = 255
        seen = proxy(composite, mask, reference=region)
    result = render(composite, mask, harmonize(seen, "statistics"))
    assert means(result, mask == 255) == pytest.approx([200] * 3, abs=12)
