import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from harmonize_engine.training import photographs
from harmonize_engine.training.views import plain_views, random_views


def by_shape(parts):
    return {part.shape: part for part in parts}


def test_a_folder_is_split_once_and_for_all(photographs_folder, cache):
    names, others = (
        {name for part in photographs.load(photographs_folder, split, cache, 64) for name in part.ids}
        for split in ("train", "val")
    )
    assert len(names) + len(others) == 48
    assert others and not names & others


def test_every_shape_is_kept_with_its_photographs(photographs_folder, cache):
    parts = by_shape(photographs.load(photographs_folder, "train", cache, 64))
    assert set(parts) == set(photographs.names)
    planes = photographs.unpacked(parts["portrait"].read(torch.tensor([0, 1])))
    assert planes.shape == (2, 4, *photographs.kept_shape("portrait", 64))
    assert planes.min() >= 0 and planes.max() <= 1


def test_of_a_window_only_the_foreground_and_its_surroundings_are_kept(photographs_folder, tmp_path):
    """The discs fill a third of their photographs; photographs to train on are kept wider, to cut views from."""

    def filled(split, window):
        parts = photographs.load(photographs_folder, split, tmp_path, 64, window=window)
        return [float(photographs.unpacked(p.read(torch.arange(1)))[:, 3].mean()) for p in parts]

    assert all(0.33 < share < 0.37 for share in filled("val", 0.0))
    assert all(0.45 < share < 0.55 for share in filled("val", 0.5))
    assert all(0.33 < share < 0.42 for share in filled("train", 0.6))


@pytest.mark.parametrize("side", [64, 128, 192, 512])
def test_inputs_are_multiples_of_16_and_less_than_what_is_kept(side):
    for shape in photographs.names:
        size, kept = photographs.input_shape(shape, side), photographs.kept_shape(shape, side)
        assert size[0] % 16 == size[1] % 16 == 0
        assert all(k > s for k, s in zip(kept, size, strict=True))


def test_decoded_once_they_are_read_from_the_cache(photographs_folder, tmp_path, monkeypatch):
    first = photographs.load(photographs_folder, "val", tmp_path, 64)
    monkeypatch.setattr(photographs, "_decode", None)  # calling it would fail
    again = photographs.load(photographs_folder, "val", tmp_path, 64)
    assert all((a.pixels == b.pixels).all() for a, b in zip(first, again, strict=True))
    assert not again[0].pixels.flags.writeable  # mapped, shared by all processes


def test_two_trainings_that_start_at_once_decode_once(photographs_folder, tmp_path, monkeypatch):
    decode, decoded = photographs._decode, []

    def slowly(*arguments):
        decoded.append(arguments)
        time.sleep(0.2)
        decode(*arguments)

    monkeypatch.setattr(photographs, "_decode", slowly)
    with ThreadPoolExecutor(2) as trainings:
        one, other = trainings.map(lambda _: photographs.load(photographs_folder, "val", tmp_path / "cache", 64), range(2))
    assert len(decoded) == 1
    assert all((a.pixels == b.pixels).all() for a, b in zip(one, other, strict=True))


def test_views_keep_the_foreground_and_are_the_same_for_the_same_seed(photographs_folder, cache):
    part = by_shape(photographs.load(photographs_folder, "train", cache, 64))["square"]
    planes = photographs.unpacked(part.read(torch.arange(8)))
    first, again = (random_views(planes, part.size, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert (first[:, 3:].mean((1, 2, 3)) >= 0.015).all()


def test_all_pictures_of_a_pair_are_cut_and_graded_alike():
    picture, mask = torch.rand(3, 3, 40, 40), torch.ones(3, 1, 40, 40)
    mask[:, :, :, :20] = 0
    views = random_views(torch.cat((picture, mask, picture), 1), (32, 32), torch.Generator().manual_seed(1))
    assert torch.equal(views[:, :3], views[:, 4:])
    assert plain_views(torch.cat((picture, mask, picture), 1), (20, 20)).shape == (3, 7, 20, 20)


def test_views_are_turned_without_being_bent():
    """A circle stays one, wherever it is, mirrored or not, in a picture that is wider than high."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 96), torch.linspace(-1.5, 1.5, 144), indexing="ij")
    circle = ((x**2 + y**2) < 0.16).float().expand(16, 1, -1, -1)
    stripes = torch.cat((((x * 6).sin() > 0).float().expand(16, 3, -1, -1), circle), 1)
    straight, turned = (
        random_views(stripes, (64, 96), torch.Generator().manual_seed(2), least=1.0, turn=turn) for turn in (0.0, 30.0)
    )
    assert (turned[:, 3] - straight[:, 3]).abs().mean() < 0.01
    assert (turned[:, 0] - straight[:, 0]).abs().mean() > 0.1
