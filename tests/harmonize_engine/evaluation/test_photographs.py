import numpy as np
import pytest
from PIL import Image

from harmonize_engine import HarmonizeError
from harmonize_engine.evaluation.photographs import Source, opened, rank


def source(tmp_path, rows):
    """Photographs by id, image, split and group; every foreground of a photograph has a mask of its own."""
    for under in ("images", "masks"):
        (tmp_path / under).mkdir()
    for name, image, *_ in rows:
        Image.new("RGB", (20, 20)).save(tmp_path / "images" / f"{image}.png")
        Image.new("L", (20, 20)).save(tmp_path / "masks" / f"{name}.png")
    text = "\n".join(",".join(row) for row in [("id", "image", "split", "group"), *rows])
    (tmp_path / "index.csv").write_text(text)
    return Source(tmp_path)


def test_validation_photographs_are_halved_and_what_belongs_together_stays_together(tmp_path):
    rows = [(f"m{n}", f"p{n // 2}", "val", f"video{n // 4}") for n in range(80)] + [("t", "t", "train", "t")]
    found = source(tmp_path, rows)
    halves = {split: {pair.id: pair.group for pair in found.pairs(split)} for split in ("calibration", "test", "val")}
    assert halves["calibration"] | halves["test"] == halves["val"] and len(halves["val"]) == 80
    assert not set(halves["calibration"].values()) & set(halves["test"].values())
    assert min(map(len, halves.values())) > 0


def test_the_test_half_begins_as_all_validation_photographs_do(tmp_path):
    found = source(tmp_path, [(f"m{n}", f"p{n}", "val", f"p{n}") for n in range(60)])
    every, tested = (sorted(found.pairs(split), key=rank) for split in ("val", "test"))
    assert every[: len(tested)] == tested


def test_what_cannot_be_read_is_named(tmp_path):
    found = source(tmp_path, [("a", "a", "val", "a")])
    (tmp_path / "images" / "a.png").write_bytes(b"no picture")
    with pytest.raises(HarmonizeError, match=r"images/a\.png") as error:
        found.read("images/a.png")
    assert error.value.code == "photograph_unreadable"
    assert np.asarray(found.read("masks/a.png")).shape == (20, 20)


def test_a_folder_that_is_not_there_or_a_broken_zip_is_named(tmp_path):
    with pytest.raises(HarmonizeError) as error:
        opened(tmp_path / "none")
    assert error.value.code == "folder_missing"
    (tmp_path / "images.zip").write_bytes(b"no zip")
    with pytest.raises(HarmonizeError) as error:
        opened(tmp_path)
    assert error.value.code == "file_unreadable"
