import zipfile

import pytest
import torch

from harmonize_engine import HarmonizeError
from harmonize_engine.training import photographs


def test_a_folder_is_split_once_and_for_all(photographs_folder, tmp_path):
    train = photographs.load(photographs_folder, "train", tmp_path)
    held_out = photographs.load(photographs_folder, "val", tmp_path)
    names = {name for part in train.values() for name in part.ids}
    others = {name for part in held_out.values() for name in part.ids}
    assert len(names) + len(others) == 48
    assert others and not names & others


def test_every_shape_is_kept_with_its_photographs(photographs_folder, tmp_path):
    train = photographs.load(photographs_folder, "train", tmp_path)
    assert set(train) == {"square", "landscape", "portrait"}
    images, masks = train["portrait"].batch(torch.tensor([0, 1]))
    assert images.shape == (2, 3, *photographs.shapes["portrait"])
    assert masks.shape == (2, 1, *photographs.shapes["portrait"])
    assert images.min() >= 0 and images.max() <= 1


def test_zips_of_the_same_layout_are_read_alike(photographs_folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(photographs_folder.rglob("*.*")):
            archive.write(path, path.relative_to(photographs_folder))
    zipped = photographs.load(tmp_path, "train", tmp_path / "cache")
    loose = photographs.load(photographs_folder, "train", tmp_path / "cache2")
    assert zipped["square"].ids == loose["square"].ids
    assert (zipped["square"].pixels == loose["square"].pixels).all()


def test_an_index_decides_the_split(photographs_folder, tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).symlink_to(photographs_folder / kind)
    rows = [f"photo{n:02},photo{n:02},{'val' if n < 6 else 'train'}" for n in range(48)]
    (tmp_path / "index.csv").write_text("id,image,split\n" + "\n".join(rows))
    held_out = photographs.load(tmp_path, "val", tmp_path)
    assert sorted(name for part in held_out.values() for name in part.ids) == [f"photo{n:02}" for n in range(6)]


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(HarmonizeError) as error:
        photographs.load(tmp_path, "train", tmp_path)
    assert error.value.code == "no_photographs"


def test_views_keep_the_foreground_and_are_the_same_for_the_same_seed(photographs_folder, tmp_path):
    part = photographs.load(photographs_folder, "train", tmp_path)["square"]
    images, masks = part.batch(torch.arange(8))
    first = photographs.random_views(images, masks, (64, 64), torch.Generator().manual_seed(3))
    again = photographs.random_views(images, masks, (64, 64), torch.Generator().manual_seed(3))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert (first[1].mean((1, 2, 3)) >= 0.015).all()
