"""Whatever is changed in a home is written down first, and taken back to the last byte; what is not ours stays."""

import json
import os
from pathlib import Path

import pytest

from installer import changes as module
from installer.changes import Changes
from installer.failure import InstallError
from tests.installer.made_up import linux, tree


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "Zoë"
    (folder / ".config").mkdir(parents=True)
    (folder / ".config/kritarc").write_bytes(b"theme=dark\r\n[python]\r\nenable_other=true\r\n[last]\r\na=1\r\n")
    return folder


def changes(home: Path) -> Changes:
    """The changes as the next run of the installer finds them."""
    return Changes(linux(home))


def change(home: Path) -> None:
    """Do what an installation does."""
    doing = changes(home)
    doing.write(home / ".local/share/krita/pykrita/harmonize/__init__.py", b"# ours")
    doing.write(home / ".local/share/krita/pykrita/harmonize.desktop", b"[Desktop]", 0o600)
    doing.set_line(home / ".config/kritarc", "python", "enable_harmonize", "true")
    doing.set_line(home / ".config/new/rc", "python", "enable_harmonize", "true")
    doing.own(home / ".local/state/harmonize")


def test_all_is_taken_back_to_the_last_byte(home: Path) -> None:
    before = tree(home)
    change(home)
    assert b"enable_other=true\r\nenable_harmonize=true\r\n" in (home / ".config/kritarc").read_bytes()
    (home / ".local/state/harmonize/log").write_text("written by the engine")
    changes(home).remove_all()
    assert tree(home) == before


def test_what_others_have_put_beside_it_stays(home: Path) -> None:
    change(home)
    theirs = home / ".local/share/krita/pykrita/theirs.py"
    theirs.write_text("theirs")
    changes(home).remove_all()
    assert tree(home / ".local") == {
        "share": None,
        "share/krita": None,
        "share/krita/pykrita": None,
        "share/krita/pykrita/theirs.py": b"theirs",
    }


def test_what_python_compiles_goes_with_its_module(home: Path) -> None:
    change(home)
    compiled = home / ".local/share/krita/pykrita/harmonize/__pycache__/__init__.cpython-313.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"compiled")
    changes(home).remove_all()
    assert not (home / ".local").exists()


def test_a_second_time_nothing_changes(home: Path) -> None:
    change(home)
    again = changes(home)
    assert not again.write(home / ".local/share/krita/pykrita/harmonize/__init__.py", b"# ours")
    assert not again.set_line(home / ".config/kritarc", "python", "enable_harmonize", "true")
    assert again.told == []
    assert again.write(home / ".local/share/krita/pykrita/harmonize/__init__.py", b"# newer")


def test_a_file_of_somebody_else_is_left_alone_unless_it_is_adopted(home: Path) -> None:
    theirs = home / "plug-in.py"
    theirs.write_text("theirs")
    with pytest.raises(InstallError) as refusal:
        changes(home).write(theirs, b"ours")
    assert refusal.value.code == "not_ours" and theirs.read_text() == "theirs"
    assert not changes(home).remove(theirs) and theirs.exists()
    assert changes(home).write(theirs, b"ours", adopt=True)
    assert changes(home).remove(theirs) and not theirs.exists()


def test_the_very_same_file_of_somebody_else_stays_theirs(home: Path) -> None:
    (home / "plug-in.py").write_text("the same")
    assert not changes(home).write(home / "plug-in.py", b"the same")
    changes(home).remove_all()
    assert (home / "plug-in.py").exists()


def test_the_mode_of_a_file_is_part_of_it(home: Path) -> None:
    changes(home).write(home / "program", b"run", 0o755)
    assert (home / "program").stat().st_mode & 0o777 == 0o755
    (home / "program").chmod(0o644)
    assert changes(home).write(home / "program", b"run", 0o755)
    assert (home / "program").stat().st_mode & 0o777 == 0o755


def test_what_was_changed_behind_our_back_is_known(home: Path) -> None:
    change(home)
    module, desktop = changes(home).placed(home / ".local")
    module.write_text("# edited")
    desktop.unlink()
    assert changes(home).spoilt() == [module, desktop]


def test_a_line_that_the_user_has_changed_since_stays(home: Path) -> None:
    change(home)
    rc = home / ".config/kritarc"
    rc.write_bytes(rc.read_bytes().replace(b"enable_harmonize=true", b"enable_harmonize=false"))
    changes(home).remove_all()
    assert b"enable_harmonize=false" in rc.read_bytes()


def test_a_line_that_was_there_gets_its_value_back(home: Path) -> None:
    rc = home / ".config/kritarc"
    rc.write_bytes(b"[python]\nenable_harmonize=false\n")
    changes(home).set_line(rc, "python", "enable_harmonize", "true")
    changes(home).remove(rc)
    assert rc.read_bytes() == b"[python]\nenable_harmonize=false\n"


def test_settings_behind_a_link_are_changed_where_they_are(home: Path) -> None:
    (home / "dotfiles").mkdir()
    (home / ".config/kritarc").rename(home / "dotfiles/kritarc")
    (home / ".config/kritarc").symlink_to(home / "dotfiles/kritarc")
    changes(home).set_line(home / ".config/kritarc", "python", "enable_harmonize", "true")
    assert (home / ".config/kritarc").is_symlink()
    assert b"enable_harmonize" in (home / "dotfiles/kritarc").read_bytes()


def test_a_dry_run_only_tells(home: Path) -> None:
    before, heard = tree(home), list[str]()
    dry = Changes(linux(home), lambda sentence, share: heard.append(sentence), dry=True)
    dry.write(home / "a", b"a")
    dry.set_line(home / ".config/kritarc", "python", "b", "true")
    dry.own(home / "c")
    assert heard == dry.told == [f"Write {home / 'a'}", f"Set b=true in {home / '.config/kritarc'}"]
    assert tree(home) == before


@pytest.mark.parametrize("step", range(9))
def test_killed_anywhere_the_record_still_takes_all_back(step: int, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, left = tree(home), step

    def until_killed(path: Path, content: bytes, mode: int = 0o644) -> None:
        nonlocal left
        if left == 0:
            module_write(path.with_name(path.name + ".harmonize~"), content[:3], mode)  # as a killed write leaves it
            raise KeyboardInterrupt
        left -= 1
        module_write(path, content, mode)

    module_write = module.write
    monkeypatch.setattr(module, "write", until_killed)
    with pytest.raises(KeyboardInterrupt):
        change(home)
        pytest.fail("there are fewer steps than that")
    monkeypatch.undo()
    changes(home).remove_all()
    if step == 0:  # the record was not there yet, and cannot know what it was to tell
        assert set(tree(home)) - set(before) == {".local", ".local/share"}
    else:
        assert tree(home) == before


def test_a_damaged_record_counts_as_none(home: Path) -> None:
    change(home)
    (linux(home).data / "record.json").write_text('{"files"')
    assert changes(home).placed() == []
    assert changes(home).write(home / ".local/share/krita/pykrita/harmonize.desktop", b"newer", adopt=True)


def test_the_record_is_the_users_own(home: Path) -> None:
    change(home)
    record = linux(home).data / "record.json"
    assert record.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(record.read_text())) == {"folders", "files", "lines", "trees"}


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(InstallError) as refusal:
        changes(home).write(home / "file" / "a", b"a")
    assert os.fspath(home / "file") in refusal.value.message
