"""pip at work in real environments, from folders and from indexes that fail."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from installer import packages
from installer.failure import InstallError
from installer.machine import Machine
from installer.packages import Source
from installer.rows import silent
from tests.installer.made_up import Maker, linux, wheel

index = packages.Source()


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    folder = tmp_path / "ein Umschlag 環境"
    venv.create(folder, with_pip=False)
    return folder


def fill(machine: Machine, maker: Maker, environment: Path, source: Source, lock: str | None = None) -> None:
    payload = maker.payload("1.0", lock=lock)
    packages.fill(machine, payload, payload.lock(machine, gpu=False), environment, source, silent)


def imported(environment: Path, names: str) -> bool:
    return subprocess.run([environment / "bin/python", "-I", "-c", f"import {names}"], check=False).returncode == 0


def test_all_comes_from_a_folder_and_no_index_is_asked(tmp_path: Path, maker: Maker, environment: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    machine = linux(tmp_path / "home", PIP_INDEX_URL=nowhere, HTTPS_PROXY=nowhere, HTTP_PROXY=nowhere)
    fill(machine, maker, environment, Source(maker.wheelhouse))
    assert imported(environment, "tones, harmonize_engine, installer.trial")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}, "no_network"),
        ({"PIP_INDEX_URL": "https://nobody.invalid/simple"}, "no_network"),
        ({"PIP_INDEX_URL": "https://some.invalid/simple", "HTTPS_PROXY": "http://127.0.0.1:9"}, "proxy"),
    ],
)
def test_an_index_out_of_reach_is_told_in_a_sentence(
    settings: dict[str, str], code: str, tmp_path: Path, maker: Maker, environment: Path
) -> None:
    machine = linux(tmp_path / "home", PIP_CONFIG_FILE="/dev/null", PIP_RETRIES="0", **settings)
    with pytest.raises(InstallError) as refusal:
        fill(machine, maker, environment, index)
    assert refusal.value.code == code
    assert "--wheelhouse" in refusal.value.hint


def test_an_index_without_the_package_is_told_in_a_sentence(tmp_path: Path, maker: Maker, environment: Path) -> None:
    (tmp_path / "index" / "tones").mkdir(parents=True)
    (tmp_path / "index" / "tones" / "index.html").write_text("<html></html>")
    settings = {"PIP_INDEX_URL": (tmp_path / "index").as_uri(), "PIP_CONFIG_FILE": "/dev/null"}
    with pytest.raises(InstallError) as refusal:
        fill(linux(tmp_path / "home", **settings), maker, environment, index)
    assert refusal.value.code == "wheel_missing"
    assert refusal.value.message == "The package index has no tones for this system and Python."


def test_a_folder_without_the_package_is_told_in_a_sentence(tmp_path: Path, maker: Maker, environment: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InstallError) as refusal:
        fill(linux(tmp_path / "home"), maker, environment, Source(tmp_path / "empty"))
    assert refusal.value.message == f"The folder {tmp_path / 'empty'} lacks tones for this system and Python."


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, maker: Maker, environment: Path) -> None:
    with pytest.raises(InstallError) as refusal:
        fill(linux(tmp_path / "home"), maker, environment, Source(tmp_path / "gone"))
    assert refusal.value.code == "no_wheelhouse"


def test_a_package_that_is_not_the_locked_one_is_refused(tmp_path: Path, maker: Maker, environment: Path) -> None:
    wheel(maker.wheelhouse, "tones", "2.0", {"tones.py": "raise SystemExit('evil')\n"})
    with pytest.raises(InstallError) as refusal:
        fill(linux(tmp_path / "home"), maker, environment, Source(maker.wheelhouse))
    assert refusal.value.code == "wheel_changed"
    assert not imported(environment, "tones")


def test_a_package_without_a_hash_is_refused(tmp_path: Path, maker: Maker, environment: Path) -> None:
    with pytest.raises(InstallError):
        fill(linux(tmp_path / "home"), maker, environment, Source(maker.wheelhouse), lock="tones==2.0\n")
    assert not imported(environment, "tones")


def test_a_users_settings_of_pip_do_no_harm(tmp_path: Path, maker: Maker, environment: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nrequire-virtualenv = true\n[install]\nuser = true\n")
    machine = linux(tmp_path / "home", PIP_CONFIG_FILE=str(tmp_path / "pip.conf"))
    fill(machine, maker, environment, Source(maker.wheelhouse))
    assert imported(environment, "tones")


def test_what_is_not_understood_is_kept_in_a_log(tmp_path: Path, maker: Maker, environment: Path) -> None:
    machine = linux(tmp_path / "home")
    machine.data.mkdir(parents=True)
    with pytest.raises(InstallError) as refusal:
        fill(machine, maker, environment, Source(maker.wheelhouse), lock="no sense at all\n")
    assert str(machine.data / "install.log") in refusal.value.hint
    assert "no sense at all" in (machine.data / "install.log").read_text()


def test_where_uv_fails_pip_goes_on(tmp_path: Path, maker: Maker, environment: Path) -> None:
    machine = linux(tmp_path / "home")
    uv = machine.home / ".local/bin/uv"
    uv.parent.mkdir(parents=True)
    uv.write_text('#!/bin/sh\necho "$@" >>"$HOME/asked"\necho "error: dns error"\nexit 2\n')
    uv.chmod(0o755)
    fill(machine, maker, environment, Source(maker.wheelhouse))
    asked = (machine.home / "asked").read_text()
    assert f"--python {environment / 'bin/python'}" in asked and "--require-hashes" in asked and "--no-index" in asked
    assert imported(environment, "tones")


def test_the_pip_that_is_carried_runs_as_it_is(pip_archive: Path) -> None:
    words = [sys.executable, "-I", pip_archive / "pip", "--version"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.startswith("pip ")
