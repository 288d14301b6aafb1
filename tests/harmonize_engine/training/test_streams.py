from dataclasses import replace

import pytest
import torch

from harmonize_engine.training import streams
from harmonize_engine.training.config import experiments
from harmonize_engine.training.photographs import Photographs, load, unpacked

plain = replace(experiments["plain"][1], side=64, batch=8, replayed=0.0, lit=0.0)


def unchanged(composites, masks):
    return composites


@pytest.fixture(scope="module")
def square(photographs_folder, cache):
    return next(part for part in load(photographs_folder, "train", cache, 64) if part.shape == "square")


def scenes(part, config, seed=1, harmonize=unchanged):
    return streams.supervised(part, part.read(torch.arange(8)), config, 0.0, harmonize, torch.Generator().manual_seed(seed))


def outside(images, masks):
    return images * (masks == 0)


def test_composites_differ_from_their_truth_in_the_foreground_only(square):
    made = scenes(square, plain)
    assert torch.equal(outside(made.composites, made.masks), outside(made.truths, made.masks))
    assert ((made.composites - made.truths).abs().mean((1, 2, 3)) > 1e-3).sum() >= 5


def test_untouched_ones_are_their_own_truth(square):
    made = scenes(square, replace(plain, untouched=(1.0, 1.0)))
    assert torch.equal(made.composites, made.truths)


def test_the_share_of_untouched_ones_moves_until_the_middle_of_the_run():
    assert [round(streams._now((0.1, 0.3), share), 3) for share in (0, 0.25, 0.5, 1)] == [0.1, 0.2, 0.3, 0.3]


def test_couples_are_one_photograph_in_two_lights_with_foregrounds_exchanged(square):
    made = scenes(square, replace(plain, paired=1.0))
    inside = made.masks == 1
    for first in range(0, 8, 2):
        one, other = first, first + 1
        assert torch.equal(made.masks[one], made.masks[other])
        assert not torch.allclose(made.truths[one], made.truths[other], atol=0.02)
        where = inside[one].expand(3, -1, -1)
        assert torch.allclose(made.composites[one][where], made.truths[other][where], atol=1e-5)
        assert torch.allclose(made.composites[other][where], made.truths[one][where], atol=1e-5)


def test_scenes_with_seams_have_them_in_truth_and_composite(square):
    seamed = scenes(square, replace(plain, seams=1.0, untouched=(1.0, 1.0)))
    whole = scenes(square, replace(plain, seams=0.0, untouched=(1.0, 1.0)))
    assert torch.equal(seamed.composites, seamed.truths)
    assert not torch.allclose(seamed.truths, whole.truths, atol=0.05)


def test_the_network_meets_its_own_results(square):
    made = scenes(square, replace(plain, replayed=0.5), harmonize=lambda composites, masks: torch.zeros_like(composites))
    assert made.composites[:4].abs().max() == 0 and made.composites[4:].mean() > 0.1


def test_references_are_the_background_one_side_of_it_or_a_clean_plate(square):
    made = scenes(square, replace(plain, clean_plate=0.0))
    assert torch.equal(made.backgrounds, made.composites)
    assert (made.reference <= 1 - made.masks).all()
    assert 0 < sum(bool((r < 1 - m).any()) for r, m in zip(made.reference, made.masks, strict=True)) < 8
    clean = scenes(square, replace(plain, clean_plate=1.0))
    assert (clean.reference > 0).float().mean() > 0.6
    hidden = (clean.masks == 1).expand(-1, 3, -1, -1)
    assert (clean.backgrounds - clean.truths).abs()[hidden].mean() > 0.02


def test_real_composites_come_with_the_photographs_that_a_judge_compares_them_with(square):
    seen, made = streams.unsupervised(square, square.read(torch.arange(8)), plain, torch.Generator().manual_seed(0))
    assert torch.equal(seen.composites, made.composites) and torch.equal(seen.truths, seen.composites)
    assert made.photographs.shape == seen.composites.shape
    assert not torch.allclose(made.photographs, made.composites, atol=0.1)


@pytest.mark.parametrize("channels", [7, 10])
def test_pairs_from_disk_put_the_foreground_before_into_the_picture_after(channels):
    pixels = torch.zeros(4, 88, 88, channels, dtype=torch.uint8)
    pixels[..., :3], pixels[..., 4:7], pixels[:, 20:60, 20:60, 3] = 200, 80, 255
    if channels == 10:
        pixels[..., 7:] = 30
    kind = "pair" if channels == 7 else "pair with plate"
    part = Photographs("square", kind, 64, pixels.numpy(), ("a",) * 4)
    made = streams.supervised(part, pixels, plain, 0.0, unchanged, torch.Generator().manual_seed(2))
    inside, out = (made.masks == 1).expand(-1, 3, -1, -1), (made.masks == 0).expand(-1, 3, -1, -1)
    ratio = made.composites[inside].mean() / made.truths[inside].mean()  # the grade is the same for all of a photograph
    assert ratio < 0.6
    assert torch.equal(made.composites[out], made.truths[out])
    expected = 200 if channels == 7 else 30  # with a plate, truth and composite are both pasted on it
    assert float(made.truths[out].mean()) * 255 == pytest.approx(expected, rel=0.35)


def test_the_papers_jitter_changes_foregrounds_only():
    planes = unpacked(torch.full((2, 32, 32, 7), 128, dtype=torch.uint8))
    planes[:, 3] = 0
    planes[:, 3, 8:20, 8:20] = 1
    config = replace(plain, jittered=True)
    hidden = torch.zeros(2, dtype=torch.bool)
    made, masks, truths, _ = streams.retouched(planes, config, hidden, torch.Generator().manual_seed(1))
    assert torch.equal(outside(made, masks), outside(truths, masks))
    assert (made - truths).abs().mean((1, 2, 3)).min() > 1e-3


def test_what_a_batch_holds_depends_on_seed_step_and_number_alone(photographs_folder, cache):
    parts = load(photographs_folder, "train", cache, 64)

    def read(step, batch, seed=1):
        loader = streams.Loader(parts, replace(plain, seed=seed))
        loader.expect(step, batch)
        part, pixels = loader.read(step, batch)
        loader.close()
        return part.shape, pixels

    assert torch.equal(read(7, 1)[1], read(7, 1)[1])
    others = [read(8, 1), read(7, 0), read(7, 1, seed=2)]
    assert all(not torch.equal(pixels, read(7, 1)[1]) for _, pixels in others if pixels.shape == read(7, 1)[1].shape)


def test_a_share_of_the_steps_sees_real_composites():
    dual, paper, single = (experiments[name][1] for name in ("default", "pih", "supervised"))
    for config, wanted in ((dual, 0.75), (paper, 0.5)):
        share = sum(streams.is_supervised(config, step) for step in range(400)) / 400
        assert abs(share - wanted) < 0.1
    assert all(streams.is_supervised(single, step) for step in range(50))
