from pathlib import Path

import numpy as np
import pytest

from harmonize_engine import HarmonizeError
from harmonize_engine.evaluation.datasets import entries
from tests.harmonize_engine.evaluation.conftest import photograph, save


def lay(folder: Path, *names: str) -> None:
    """Put a set on disk: names like `comp/c1_1.jpg`; masks are told by their folder or by the end of their names."""
    truth, mask = photograph(1)
    for name in names:
        path = folder / name
        if "mask" in name:
            save(mask, path)
        elif "comp" in name or "before" in name:
            save(truth * (1 - 0.3 * mask[..., None]), path)
        else:
            save(truth, path)


def found(folder: Path, **given: object) -> list[tuple[str, str, str, str]]:
    return [(e.group, e.name, e.mask.name, e.truth.name) for e in entries(folder, **given)]


def test_iharmony4_is_read_by_subset(tmp_path):
    lay(
        tmp_path / "HCOCO",
        "composite_images/c7_1_1.jpg",
        "composite_images/c7_1_2.jpg",
        "masks/c7_1.png",
        "real_images/c7.jpg",
    )
    lay(tmp_path / "Hday2night", "composite_images/d9-18_1_2.jpg", "masks/d9-18_1.png", "real_images/d9-18.jpg")
    assert found(tmp_path) == [
        ("HCOCO", "c7_1_1", "c7_1.png", "c7.jpg"),
        ("HCOCO", "c7_1_2", "c7_1.png", "c7.jpg"),
        ("Hday2night", "d9-18_1_2", "d9-18_1.png", "d9-18.jpg"),
    ]


def test_one_subset_alone_is_read_too_and_the_list_of_its_test_split_is_followed(tmp_path):
    subset = tmp_path / "HFlickr"
    lay(subset, "composite_images/f1_1_1.jpg", "composite_images/f2_1_1.jpg", "masks/f1_1.png", "masks/f2_1.png")
    lay(subset, "real_images/f1.jpg", "real_images/f2.jpg")
    (subset / "HFlickr_test.txt").write_text("f2_1_1.jpg\n")
    assert found(subset) == [("HFlickr", "f2_1_1", "f2_1.png", "f2.jpg")]
    (subset / "HFlickr_test.txt").unlink()
    (tmp_path / "IHD_test.txt").write_text("HFlickr/composite_images/f1_1_1.jpg\n")
    assert [name for _, name, _, _ in found(tmp_path)] == ["f1_1_1"]


def test_ccharmony_lists_foregrounds(tmp_path):
    lay(
        tmp_path,
        "composite_images/IMG_0281_a_1.png",
        "composite_images/IMG_0281_a_2.png",
        "composite_images/IMG_0300_a_1.png",
    )
    lay(tmp_path, "masks/IMG_0281_a.png", "masks/IMG_0300_a.png", "real_images/IMG_0281.png", "real_images/IMG_0300.png")
    (tmp_path / "test_list.txt").write_text("IMG_0281_a\n")
    group = tmp_path.name
    assert found(tmp_path) == [(group, f"IMG_0281_a_{n}", "IMG_0281_a.png", "IMG_0281.png") for n in (1, 2)]


def test_rdharmony_names_scene_style_and_other_style(tmp_path):
    lay(tmp_path / "human", "composite_images/scene1-3_7.jpg", "masks/scene1.png", "real_images/scene1-3.jpg")
    assert found(tmp_path) == [("human", "scene1-3_7", "scene1.png", "scene1-3.jpg")]


def test_realhm_in_one_folder_is_told_apart_by_the_ends_of_names(tmp_path):
    lay(tmp_path, "001_composite.jpg", "001_mask.png", "001_gt.jpg", "002_composite.jpg", "002_mask.png")
    assert found(tmp_path) == [(tmp_path.name, "001", "001_mask.png", "001_gt.jpg")]


def test_plain_folders_of_before_after_and_mask_are_read(tmp_path):
    lay(tmp_path, "before/a.png", "mask/a.png", "after/a.png", "before/b.png")
    assert found(tmp_path) == [(tmp_path.name, "a", "a.png", "a.png")]


def test_everything_is_resized_first_where_that_is_the_convention(tmp_path):
    lay(tmp_path, "before/a.png", "mask/a.png", "after/a.png")
    (entry,) = entries(tmp_path, (32, 32))
    scene = entry.scene()
    assert scene.composite.shape == scene.truth.shape == (32, 32, 3) and scene.mask.shape == (32, 32)
    assert entries(tmp_path)[0].scene().composite.shape == (64, 80, 3)
    assert set(entry.sources()) == {"composite", "mask", "truth"}


def test_masks_of_0_and_1_count_as_masks(tmp_path):
    lay(tmp_path, "before/a.png", "mask/a.png", "after/a.png")
    _, mask = photograph(1)
    save(mask / 255, tmp_path / "mask/a.png")
    assert np.array_equal(entries(tmp_path)[0].scene().mask, mask.astype(np.uint8) * 255)


@pytest.mark.parametrize("names", [(), ("before/a.png",), ("before/a.png", "mask/b.png", "after/a.png")])
def test_what_is_no_dataset_is_refused(tmp_path, names):
    lay(tmp_path, *names)
    with pytest.raises(HarmonizeError) as error:
        entries(tmp_path)
    assert error.value.code == "dataset_unknown"


def test_a_broken_picture_is_told_when_it_is_read(tmp_path):
    lay(tmp_path, "before/a.png", "mask/a.png", "after/a.png")
    (tmp_path / "after/a.png").write_bytes(b"no picture")
    with pytest.raises(HarmonizeError) as error:
        entries(tmp_path)[0].scene()
    assert error.value.code == "file_unreadable"
