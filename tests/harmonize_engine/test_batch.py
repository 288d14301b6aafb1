import threading
from pathlib import Path

import pytest

from harmonize_engine import HarmonizeError, batch


def test_pictures_by_stem_without_hidden_and_other_files(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", "a.png", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    found = batch.pictures_in(tmp_path)
    names = {stem: [path.name for path in paths] for stem, paths in found.items()}
    assert names == {"a": ["a.jpg", "a.png"], "b": ["b.PNG"]}
    assert batch.only(found["b"]).name == "b.PNG"
    with pytest.raises(HarmonizeError, match=r"a\.jpg and a\.png") as refusal:
        batch.only(found["a"])
    assert refusal.value.code == "stem_twice"


def test_folders_that_are_missing_or_files(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, code in (("none", "folder_missing"), ("file", "file_unreadable")):
        with pytest.raises(HarmonizeError) as refusal:
            batch.pictures_in(tmp_path / name)
        assert refusal.value.code == code


def test_an_origin_changes_with_sources_and_settings(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(b"one")
    first = batch.origin([source], "settings")
    assert batch.origin([source], "settings") == first
    assert batch.origin([source], "other settings") != first
    source.write_bytes(b"three")
    assert batch.origin([source], "settings") != first


def test_a_journal_remembers_until_a_result_is_gone(tmp_path: Path) -> None:
    result = tmp_path / "a.png"
    result.touch()
    batch.Journal.read(tmp_path).add("a", "made of this")
    journal = batch.Journal.read(tmp_path)
    assert journal.up_to_date("a", "made of this", [result])
    assert not journal.up_to_date("a", "made of that", [result])
    assert not journal.up_to_date("b", "made of this", [result])
    result.unlink()
    assert not journal.up_to_date("a", "made of this", [result])


def test_every_job_comes_back_with_its_result_or_its_error() -> None:
    def work(job: int) -> int:
        if job == 3:
            raise HarmonizeError("bad", "Three is bad.")
        if job == 5:
            raise MemoryError
        return job * job

    done = dict(batch.run(range(8), work, 3))
    told = {job: found.code if isinstance(found, HarmonizeError) else found for job, found in done.items()}
    assert told == {0: 0, 1: 1, 2: 4, 3: "bad", 4: 16, 5: "out_of_memory", 6: 36, 7: 49}


def test_never_more_at_a_time_than_workers() -> None:
    running, most, lock = 0, 0, threading.Lock()
    pause = threading.Event()

    def work(job: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        pause.wait(0.002)
        with lock:
            running -= 1

    assert len(list(batch.run(range(20), work, 2))) == 20
    assert most <= 2


def test_a_defect_is_not_hidden() -> None:
    def work(job: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(batch.run([1, 2, 3], work, 2))
