"""What the installer carries is found in its .pyz, whole or with a sentence."""

import os
import tempfile
import zipfile
from pathlib import Path

import pytest

from installer import payload as module
from installer.failure import InstallError
from installer.machine import Machine
from installer.payload import Payload

carried = {
    "payload/harmonize-1.2.3-py3-none-any.whl": "wheel",
    "payload/pip-26.0-py3-none-any.whl": "pip",
    "payload/locks/cpu.txt": "cpu",
    "payload/locks/gpu.txt": "gpu",
    "payload/locks/directml.txt": "directml",
    "payload/krita/harmonize_krita.desktop": "[Desktop Entry]",
    "payload/krita/harmonize_krita/__init__.py": "",
    "installer/__init__.py": "",
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "harmonize-install.pyz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in carried.items():
            archive.writestr(name, content)
    return path


def machine(platform: str) -> Machine:
    return Machine(platform, "x86_64", {}, Path("/home"))


def test_it_is_unpacked_while_it_is_used(archive: Path) -> None:
    payload = Payload.of(archive)
    assert payload.version == "1.2.3"
    assert payload.wheel().read_text() == "wheel" and payload.pip().read_text() == "pip"
    assert not (payload.folder.parent / "installer").exists()
    assert payload.plugin("krita") == {"harmonize_krita.desktop": b"[Desktop Entry]", "harmonize_krita/__init__.py": b""}


def test_what_killed_installers_have_left_goes_after_a_day(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, new = tmp_path / f"{module.prefix}old", tmp_path / f"{module.prefix}new"
    for folder in (old, new):
        (folder / "payload").mkdir(parents=True)
    os.utime(old, (0, 0))
    Payload.of(archive)
    assert not old.exists() and new.exists()


@pytest.mark.parametrize(
    ("platform", "gpu", "lock"),
    [
        ("linux", False, "cpu"),
        ("linux", True, "gpu"),
        ("win32", True, "directml"),
        ("darwin", True, "cpu"),  # Core ML is in it
    ],
)
def test_each_platform_has_its_lock(platform: str, gpu: bool, lock: str, archive: Path) -> None:
    payload = Payload.of(archive)
    assert payload.lock(machine(platform), gpu).read_text() == lock


def test_an_archive_that_was_not_downloaded_whole_is_refused(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(InstallError) as refusal:
        Payload.of(archive)
    assert refusal.value.code == "payload_damaged"


def test_a_plug_in_that_is_missing_is_told_of(archive: Path) -> None:
    with pytest.raises(InstallError) as refusal:
        Payload.of(archive).plugin("gimp")
    assert refusal.value.code == "payload_damaged"


def test_the_installer_finds_the_archive_that_it_runs_from(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__file__", str(archive / "installer" / "payload.py"))
    assert Payload.mine().archive == archive


def test_a_clone_that_was_not_built_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__file__", str(tmp_path / "installer" / "payload.py"))
    with pytest.raises(InstallError) as refusal:
        Payload.mine()
    assert "tasks.py build" in refusal.value.hint
