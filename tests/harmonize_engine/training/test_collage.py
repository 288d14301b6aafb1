import pytest
import torch

from harmonize_engine.training.collage import boxes, collage, placed
from harmonize_engine.training.plates import filled, grown, pasted, repasted

generator = torch.Generator().manual_seed(0)


def mask_of(top, bottom, left, right, size=64):
    mask = torch.zeros(1, 1, size, size)
    mask[:, :, top:bottom, left:right] = 1
    return mask


def test_a_box_is_centre_and_size_in_the_pictures_own_coordinates():
    assert boxes(mask_of(16, 48, 0, 32))[0].tolist() == pytest.approx([-0.5, 0, 1, 1])
    assert boxes(torch.zeros(1, 1, 8, 8))[0].tolist() == [0, 0, 2, 2]


def test_a_foreground_fits_the_place_of_the_other_and_keeps_its_proportions():
    wide, place = mask_of(24, 40, 8, 56), mask_of(20, 44, 20, 44)
    planes = torch.cat((torch.rand((1, 3, 64, 64), generator=generator), wide), 1)
    moved = placed(planes, boxes(wide), boxes(place), torch.Generator().manual_seed(1), jitter=0.0)
    x, y, width, height = boxes(moved[:, 3:])[0].tolist()
    assert (x, y) == pytest.approx(boxes(place)[0, :2].tolist(), abs=0.05)
    assert width == pytest.approx(24 / 32, abs=0.1) and width / height == pytest.approx(3, rel=0.2)


def test_what_a_photograph_cuts_off_below_stands_on_the_lower_border():
    cut, place = mask_of(30, 64, 20, 44), mask_of(4, 24, 20, 44)
    planes = torch.cat((torch.rand((1, 3, 64, 64), generator=generator), cut), 1)
    moved = placed(planes, boxes(cut), boxes(place), torch.Generator().manual_seed(1))
    assert moved[:, 3, -1].max() > 0.5 and moved[:, 3, 0].max() == 0


def test_holes_take_the_colours_around_them_and_nothing_of_what_was_there():
    images = torch.full((1, 3, 48, 48), 0.3)
    hole = mask_of(10, 30, 12, 40, 48)
    images = torch.where(hole > 0, torch.rand((1, 3, 48, 48), generator=generator), images)
    assert filled(images, hole) == pytest.approx(torch.full((1, 3, 48, 48), 0.3), abs=1e-4)


def test_a_hole_as_large_as_the_picture_breaks_nothing():
    images = torch.rand((1, 3, 16, 24), generator=generator)
    assert torch.isfinite(filled(images, torch.ones(1, 1, 16, 24))).all()


def test_a_repasted_photograph_is_itself_but_for_a_seam():
    images = torch.rand((3, 3, 64, 64), generator=generator) * 0.2 + 0.4
    masks = mask_of(16, 48, 16, 48).expand(3, -1, -1, -1)
    again, moved, plates = repasted(images, masks, torch.Generator().manual_seed(0))
    far = (grown(masks, 5) == 0).expand(-1, 3, -1, -1)
    assert torch.equal(again[far], images[far])
    assert moved.sum() == masks.sum()
    assert torch.equal(again, pasted(again, moved, plates))


def test_real_and_fake_differ_in_whose_foreground_it_is_and_in_nothing_else():
    """Both have filled background and a pasted seam: outside of both foregrounds they are the same plate."""
    random = torch.Generator().manual_seed(2)
    images = torch.rand((4, 3, 64, 64), generator=random)
    masks = torch.cat([mask_of(10 + 4 * n, 40, 12, 30 + 6 * n) for n in range(4)])
    made = collage(images, masks, images.roll(1, 0), masks.roll(1, 0), random)
    behind = (made.masks == 0).expand(-1, 3, -1, -1)
    assert torch.equal(made.composites[behind], made.plates[behind])
    same = (made.composites == made.plates) & (made.photographs == made.plates)
    assert same.float().mean() > 0.5
    changed = [(picture != made.plates).any(1).float().mean() for picture in (made.composites, made.photographs)]
    assert changed[0] == pytest.approx(changed[1], rel=0.5)  # as much foreground, as much filled background
