"""What keeps an installation from working, on a real machine: each is one sentence, and nothing is left half done."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from install_kit import Artist, artist, group, working

program = ("python3", "/session/files/harmonize-install.pyz", "install", "--yes")


@pytest.fixture(scope="module")
def newcomer(roots, archives: dict[str, Path]) -> Iterator[Artist]:
    """Somebody with an empty home and no wheels."""
    roots("trixie")
    with working("trixie", "newcomer") as newcomer:
        shutil.copy(archives["this"] / "harmonize-install.pyz", newcomer.files)
        (newcomer.files / "wheels").mkdir()
        yield newcomer


def refused(newcomer: Artist, *options: str, disk: str = "") -> str:
    """Install in vain; gives the one line of the error."""
    shell = ("sh", "-c", '"$@"; status=$?; find . -mindepth 1; exit $status', "sh")
    ended = newcomer.run(*shell, *program, *options, disk=disk)
    assert ended.returncode == 2, ended.stdout
    assert "Traceback" not in ended.stdout
    told = ended.stdout.splitlines()[-1]
    assert told.startswith("harmonize: error ["), f"it left something: {ended.stdout}"
    return told


def test_a_home_that_may_not_be_written(newcomer: Artist):
    owned = f"mode=555,uid={artist},gid={group}"
    told = refused(newcomer, disk=f"size=1g,{owned}")
    assert "[not_allowed]: You may not write /session/home/newcomer/.local" in told
    assert "[read_only]: " in refused(newcomer, disk=f"size=1g,ro,{owned}")


def test_a_full_disk(newcomer: Artist):
    told = refused(newcomer, disk=f"size=50m,mode=755,uid={artist},gid={group}")
    assert "[disk_full]: " in told and "49 MB free" in told


def test_no_network(newcomer: Artist):
    told = refused(newcomer, "--no-editors")
    assert "[no_network]: The package index could not be reached." in told and "--wheelhouse" in told


def test_a_folder_of_wheels_without_the_right_ones(newcomer: Artist):
    told = refused(newcomer, "--wheelhouse", "/session/files/wheels")
    assert "[wheel_missing]: The folder /session/files/wheels lacks " in told
