"""The layouts that training pictures come in, each on a tiny set of the same shape."""

import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from harmonize_engine import HarmonizeError
from harmonize_engine.training import photographs
from harmonize_engine.training.sources import Source, examples


def save(path, level, size=(40, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).save(path)


def both(folder):
    """All that trains; what these names' hashes would hold out is none."""
    return {example.id: example for example in examples(Source(folder), "train")}


def test_pihs_layout_gives_each_version_as_truth_in_turn(tmp_path):
    for name in ("ann", "ben"):
        for version in ("before", "after"):
            save(tmp_path / "real_images" / f"{name}_{version}.png", 90)
            save(tmp_path / "masks" / f"{name}_{version}_mask.png", 255)
            save(tmp_path / "bg" / f"{name}_{version}_mask.png", 30)
    found = both(tmp_path)
    assert set(found) == {"ann_before", "ann_after", "ben_before", "ben_after"}
    ann = found["ann_after"]
    assert ann.files == (
        "real_images/ann_after.png",
        "masks/ann_after_mask.png",
        "real_images/ann_before.png",
        "bg/ann_after_mask.png",
    )


def test_versions_of_one_photograph_are_never_in_both_splits(tmp_path):
    for number in range(60):
        for version in ("before", "after"):
            save(tmp_path / "real_images" / f"p{number}_{version}.png", 90, (8, 8))
            save(tmp_path / "masks" / f"p{number}_{version}_mask.png", 255, (8, 8))
    train, held_out = ({e.id.rpartition("_")[0] for e in examples(Source(tmp_path), split)} for split in ("train", "val"))
    assert held_out and not train & held_out and len(train | held_out) == 60


def iharmony(folder):
    for name in ("c1", "c2"):
        save(folder / "real_images" / f"{name}.jpg", 100)
        save(folder / "masks" / f"{name}_1.png", 255)
        for version in (1, 2):
            save(folder / "composite_images" / f"{name}_1_{version}.jpg", 60)


def test_iharmony4_pairs_composites_with_their_photographs(tmp_path):
    iharmony(tmp_path / "HCOCO")
    found = both(tmp_path)
    assert set(found) == {f"HCOCO/{name}_1_{version}" for name in ("c1", "c2") for version in (1, 2)}
    assert found["HCOCO/c1_1_2"].files == (
        "HCOCO/real_images/c1.jpg",
        "HCOCO/masks/c1_1.png",
        "HCOCO/composite_images/c1_1_2.jpg",
    )


def test_iharmony4s_lists_are_followed_and_test_pictures_never_trained_on(tmp_path):
    iharmony(tmp_path / "HCOCO")
    iharmony(tmp_path / "HFlickr")
    (tmp_path / "HCOCO" / "HCOCO_train.txt").write_text("composite_images/c2_1_1.jpg\n")
    (tmp_path / "HFlickr" / "HFlickr_test.txt").write_text("c1_1_1.jpg\nc1_1_2.jpg\n")
    assert set(both(tmp_path)) == {"HCOCO/c2_1_1", "HFlickr/c2_1_1", "HFlickr/c2_1_2"}


def test_plain_triples_become_pairs_in_memory(tmp_path):
    for number in range(6):
        for part, level in (("before", 50), ("after", 200), ("masks", 255)):
            save(tmp_path / part / f"p{number}.png", level)
    loaded = photographs.load(tmp_path, "train", tmp_path / "cache", 64)
    assert [part.kind for part in loaded] == ["pair"]
    planes = photographs.unpacked(loaded[0].read(torch.tensor([0])))
    assert planes[0].mean((1, 2)).mul(255).round().tolist() == [200, 200, 200, 255, 50, 50, 50]


def test_zips_of_the_same_layout_are_read_alike(photographs_folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(photographs_folder.rglob("*.*")):
            archive.write(path, path.relative_to(photographs_folder))
    zipped = photographs.load(tmp_path, "train", tmp_path / "cache", 64)
    loose = photographs.load(photographs_folder, "train", tmp_path / "cache2", 64)
    for ours, theirs in zip(zipped, loose, strict=True):
        assert sorted(ours.ids) == sorted(theirs.ids)
        order = [ours.ids.index(name) for name in theirs.ids]
        assert (ours.pixels[order] == theirs.pixels).all()


def test_an_index_decides_the_split(photographs_folder, tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).symlink_to(photographs_folder / kind)
    rows = [f"photo{n:02},photo{n:02},{'val' if n < 6 else 'train'}" for n in range(48)]
    (tmp_path / "index.csv").write_text("id,image,split\n" + "\n".join(rows))
    assert sorted(e.id for e in examples(Source(tmp_path), "val")) == [f"photo{n:02}" for n in range(6)]


@pytest.mark.parametrize(("make", "code"), [(True, "no_photographs"), (False, "folder_missing")])
def test_a_folder_without_pairs_is_refused(tmp_path, make, code):
    folder = tmp_path / "empty"
    if make:
        folder.mkdir()
    with pytest.raises(HarmonizeError) as error:
        photographs.load(folder, "train", tmp_path)
    assert error.value.code == code


def test_a_photograph_that_is_none_is_named(tmp_path):
    save(tmp_path / "masks" / "a.png", 255)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"no photograph")
    with pytest.raises(HarmonizeError) as error:
        photographs.load(tmp_path, "train", tmp_path / "cache", 64)
    assert error.value.code == "photograph_unreadable" and "images/a.jpg" in error.value.message
    assert not list((tmp_path / "cache").glob("*[0-9a-f]"))  # half a cache is never taken for a whole one


def test_masks_of_0_and_1_are_stretched(tmp_path):
    save(tmp_path / "images" / "a.png", 100)
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.ones((32, 40), np.uint8)).save(tmp_path / "masks" / "a.png")
    (part,) = photographs.load(tmp_path, "train", tmp_path / "cache", 64)
    assert (part.pixels[..., 3] == 255).all()
