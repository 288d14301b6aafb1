import numpy as np
import pytest
from PIL import Image

from harmonize_engine.evaluation import families
from tests.harmonize_engine.evaluation.conftest import photograph

image, mask = photograph(1)
other, other_mask = photograph(2, 40, 60)
changing = [family for family in families.names if family != "untouched"]


def composite(family: str, magnitude: float = 1.0, seed: int = 3) -> np.ndarray:
    return families.composite(family, image, mask, other, other_mask, magnitude, seed)


@pytest.mark.parametrize("family", changing)
def test_a_family_changes_the_foreground_alone_and_stays_in_range(family):
    made = composite(family)
    assert (made[mask == 0] == image[mask == 0]).all()
    assert np.abs(made - image)[mask == 1].mean() > 2 / 255
    assert made.min() >= 0 and made.max() <= 1 and made.dtype == np.float32


@pytest.mark.parametrize("family", changing)
def test_the_same_seed_makes_the_same_composite_and_another_seed_another(family):
    assert (composite(family) == composite(family)).all()
    assert any((composite(family) != composite(family, seed=seed)).any() for seed in range(4, 10))


@pytest.mark.parametrize("family", changing)
def test_a_smaller_magnitude_is_a_smaller_change_of_the_same_kind(family):
    changes = [composite(family, magnitude) - image for magnitude in (0.1, 0.5, 1.0)]
    sizes = [np.abs(change).mean() for change in changes]
    assert sizes[0] < sizes[1] < sizes[2]
    assert np.corrcoef(changes[1].ravel(), changes[2].ravel())[0, 1] > 0.8


@pytest.mark.parametrize("family", changing)
def test_a_larger_picture_is_changed_alike(family):
    def enlarged(plane: np.ndarray) -> np.ndarray:
        return plane.repeat(3, 0).repeat(3, 1)

    large = families.composite(family, enlarged(image), enlarged(mask), other, other_mask, 1.0, 3)
    small = enlarged(composite(family))
    assert np.abs(large - small).mean() < 1 / 255


def test_untouched_and_magnitude_0_are_the_photograph_itself():
    assert composite("untouched") is image
    assert composite("retouch", 0.0) is image


def test_soft_edges_are_blended_by_the_mask():
    soft = np.asarray(
        Image.fromarray(mask).resize((20, 16), Image.Resampling.BOX).resize((80, 64), Image.Resampling.BILINEAR)
    )
    made = families.composite("light", image, soft, other, other_mask, 1.0, 3)
    whole = families.composite("light", image, np.ones_like(soft), other, other_mask, 1.0, 3)
    assert np.allclose(made, image * (1 - soft[..., None]) + whole * soft[..., None], atol=1e-5)
