"""One installer at a time, and a data folder that goes again where nothing came into it."""

import subprocess
import sys
from pathlib import Path

import pytest

from installer.changes import Changes
from installer.failure import InstallError
from installer.lock import only_one
from tests.installer.made_up import linux, tree

holding = """
import sys, pathlib
from installer.lock import only_one
from installer.machine import Machine
with only_one(Machine("linux", "x86_64", {}, pathlib.Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_installer_is_told_to_wait_and_a_killed_one_is_not_in_the_way(tmp_path: Path) -> None:
    words = [sys.executable, "-c", holding, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(InstallError) as refusal, only_one(linux(tmp_path)):
            pytest.fail("two at a time")
        assert refusal.value.code == "busy"
        other.kill()
    with only_one(linux(tmp_path)):
        pass


def test_nothing_is_left_where_nothing_was_done(tmp_path: Path) -> None:
    with only_one(linux(tmp_path)):
        assert tree(tmp_path)
    assert tree(tmp_path) == {}


def test_what_was_done_stays(tmp_path: Path) -> None:
    machine = linux(tmp_path)
    with only_one(machine):
        Changes(machine).write(tmp_path / "plug-in", b"ours")
    assert (machine.data / "record.json").exists()


def test_an_error_of_the_system_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InstallError), only_one(linux(tmp_path)):
        (tmp_path / "gone").read_bytes()
