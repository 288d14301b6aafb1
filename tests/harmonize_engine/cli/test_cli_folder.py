"""`harmonize apply FOLDER`."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from harmonize_engine.cli import apply_folder
from tests.harmonize_engine.cli.conftest import Desk, Ran, scene


@pytest.fixture
def folders(desk: Desk) -> Desk:
    """Three pictures with masks, in one of two folders each."""
    for name in ("pictures", "masks"):
        (desk / name).mkdir()
    for stem in ("a", "b", "c"):
        composite, mask = scene()
        desk.write(f"pictures/{stem}.png", np.roll(composite, ord(stem), axis=2))
        desk.write(f"masks/{stem}.jpg", mask)
    return desk


def apply(desk: Desk, *words: object) -> Ran:
    masks = ("--mask", desk / "masks", "--model", "statistics")
    return desk.harmonize("apply", desk / "pictures", *masks, "-o", desk / "results", *words)


def results(desk: Desk) -> list[str]:
    return sorted(path.name for path in (desk / "results").iterdir() if path.name[0] != ".")


def test_every_picture_with_a_mask_of_its_name(folders: Desk) -> None:
    (folders / "pictures" / "notes.txt").write_text("no picture")
    ran = apply(folders)
    assert ran.status == 0 and ran.err == ""
    assert "3 harmonized" in ran.out
    assert results(folders) == ["a.png", "b.png", "c.png"]
    single = ("--mask", folders / "masks/b.jpg", "--model", "statistics", "-o", folders / "single.png")
    folders.harmonize("apply", folders / "pictures/b.png", *single)
    assert (folders.pixels("single.png") == folders.pixels("results/b.png")).all()


def test_several_kinds_and_workers(folders: Desk) -> None:
    assert apply(folders, "--format", "tif", ".KRA", "--workers", "3").status == 0
    assert results(folders) == [f"{stem}.{kind}" for stem in "abc" for kind in ("kra", "tif")]


def test_missing_masks_are_listed(folders: Desk) -> None:
    (folders / "masks" / "b.jpg").unlink()
    ran = apply(folders)
    assert ran.status == 0
    assert "no mask   b.png" in ran.out and "2 harmonized, 1 without a mask" in ran.out


def test_a_bad_picture_does_not_stop_the_others(folders: Desk) -> None:
    (folders / "pictures" / "a.png").write_bytes(b"broken")
    folders.write("masks/b.jpg", np.zeros((48, 64), np.uint8))
    ran = apply(folders)
    assert ran.status == 2
    assert ran.err.startswith("harmonize: error [some_failed]: 2 of 3 pictures failed.") and ran.err.count("\n") == 1
    assert "failed    a.png: [format_unknown]" in ran.out and "failed    b.png: [mask_empty]" in ran.out
    assert results(folders) == ["c.png"]


def test_what_is_up_to_date_is_not_made_again(folders: Desk) -> None:
    apply(folders)
    made = {name: (folders / "results" / name).stat().st_mtime_ns for name in results(folders)}
    os.utime(folders / "masks" / "b.jpg", ns=(1, 1))
    (folders / "results" / "c.png").unlink()
    ran = apply(folders)
    assert "2 harmonized, 1 already done" in ran.out
    assert (folders / "results" / "a.png").stat().st_mtime_ns == made["a.png"]
    assert "3 already done" in apply(folders).out
    assert "3 harmonized" in apply(folders, "--again").out
    assert "3 harmonized" in apply(folders, "--color-strength", "0.5").out


def test_a_journal_that_was_cut_off_only_costs_time(folders: Desk) -> None:
    apply(folders)
    journal = folders / "results" / ".harmonize-journal"
    journal.write_text(journal.read_text()[:-20] + "\n[1, 2\n7\n")
    assert "1 harmonized, 2 already done" in apply(folders).out


def test_pictures_that_are_left_are_counted_by_the_reason(folders: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from harmonize_engine import Confidence, Harmonization

    harmonies = [0.9, 0.28, 0.28]

    def advised(seen: object, model: str) -> Harmonization:
        before = harmonies.pop()
        return Harmonization((), "test", "1", confidence=Confidence(before, before, leave=True))

    monkeypatch.setattr("harmonize_engine.engine.harmonize", advised)
    told = apply(folders).out
    assert "1 left as they are because they fit, 2 left as they are because harmonizing would probably not help" in told
    assert "--always" in told


def test_parameters_as_json_lines(folders: Desk) -> None:
    ran = apply(folders, "--json")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert sorted(line["picture"] for line in lines) == ["a.png", "b.png", "c.png"]
    assert all(line["parameters"]["model"] == "statistics" for line in lines)
    assert "3 harmonized" in ran.err


def test_plates_by_name_or_one_for_all(folders: Desk) -> None:
    (folders / "plates").mkdir()
    for stem in ("a", "b"):
        folders.write(f"plates/{stem}.png", scene()[0])
    ran = apply(folders, "--background", folders / "plates")
    assert ran.status == 2 and "failed    c.png: [file_missing]" in ran.out
    assert "3 harmonized" in apply(folders, "--background", folders / "background.png").out


def test_two_files_of_one_name(folders: Desk) -> None:
    folders.write("pictures/a.jpg", scene()[0])
    ran = apply(folders)
    assert ran.status == 2
    assert "[stem_twice] a.jpg and a.png have the same stem" in ran.out
    assert results(folders) == ["b.png", "c.png"]


def test_results_never_replace_inputs(folders: Desk) -> None:
    masks = ("--mask", folders / "masks", "--model", "statistics")
    folders.refused("would_overwrite_input", "apply", folders / "pictures", *masks, "-o", folders / "pictures")


def test_folders_that_cannot_be_used(folders: Desk) -> None:
    masks = ("--mask", folders / "masks")
    folders.refused("usage", "apply", folders / "pictures", "--mask", folders / "mask.png", "-o", folders / "results")
    folders.refused("usage", "apply", folders / "pictures", *masks)
    folders.refused("usage", "apply", folders / "pictures", *masks, "-o", folders / "results", "--workers", "0")
    folders.refused("usage", "apply", folders / "pictures", *masks, "-o", folders / "results", "--report", "r.html")
    folders.refused("suffix_unknown", "apply", folders / "pictures", *masks, "-o", folders / "results", "--format", "psd")
    folders.refused("folder_missing", "apply", folders / "pictures", *masks, "-o", folders / "none" / "results")
    folders.refused("output_is_file", "apply", folders / "pictures", *masks, "-o", folders / "mask.png")
    (folders / "empty").mkdir()
    folders.refused("nothing_to_do", "apply", folders / "empty", *masks, "-o", folders / "results")
    told = folders.refused("nothing_to_do", "apply", folders / "pictures", "--mask", folders / "empty", "-o", folders / "r")
    assert "3 pictures, none with a mask" in told


def test_ctrl_c_leaves_whole_results_and_the_rest_is_done_next_time(folders: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Path] = []
    write_all = apply_folder.outputs.write_all

    def interrupted(files: list) -> None:
        begun.append(files[0].path)
        if len(begun) == 2:
            raise KeyboardInterrupt
        write_all(files)

    with monkeypatch.context() as patch:
        patch.setattr(apply_folder.outputs, "write_all", interrupted)
        ran = apply(folders, "--workers", "1")
    assert ran.status == 130 and ran.err.count("\n") == 1
    assert results(folders) == ["a.png"]
    assert "2 harmonized, 1 already done" in apply(folders).out


def test_default_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, workers in ((None, 1), (1, 1), (2, 2), (64, 8)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert apply_folder.default_workers() == workers
