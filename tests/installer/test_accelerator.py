"""Gigabytes for an accelerator are only downloaded where its driver is there and new enough."""

from pathlib import Path

import pytest

from installer import accelerator
from installer.failure import InstallError
from installer.machine import Machine

kernel = "NVRM version: NVIDIA UNIX {}  {}  Release Build  (dvs-builder)\nGCC version:  gcc version 12.2.0\n"


def checked(folder: Path, platform: str = "linux", architecture: str = "x86_64") -> str:
    """What is told, or the complaint."""
    told = list[str]()
    machine = Machine(platform, architecture, {"PATH": str(folder)}, folder)
    try:
        accelerator.check(machine, lambda sentence, share: told.append(sentence))
    except InstallError as error:
        return str(error)
    return " ".join(told)


@pytest.fixture(autouse=True)
def told_by_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(accelerator, "_told_by_kernel", tmp_path / "version")
    return tmp_path / "version"


@pytest.mark.parametrize("kind", ["x86_64 Kernel Module", "Open Kernel Module for x86_64"])
def test_the_driver_is_told_by_the_kernel(kind: str, tmp_path: Path, told_by_kernel: Path) -> None:
    told_by_kernel.write_text(kernel.format(kind, "580.65.06"))
    assert checked(tmp_path) == "NVIDIA's driver 580 is there; about 1600 MB will be downloaded"
    told_by_kernel.write_text(kernel.format(kind, "550.54.14"))
    assert "550 is too old: 580 or later" in checked(tmp_path)


@pytest.mark.parametrize(("said", "complaint"), [("581.15", "is there"), ("No devices were found", "No driver")])
def test_or_by_its_own_program(said: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\necho {said}\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert complaint in checked(tmp_path)


def test_without_a_driver_or_on_another_processor_there_is_no_point(tmp_path: Path) -> None:
    assert checked(tmp_path) == "No driver of NVIDIA was found."
    for platform in ("linux", "win32"):
        assert "arm64 there are no packages" in checked(tmp_path, platform, "arm64")


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_bring_their_own(platform: str, tmp_path: Path) -> None:
    assert checked(tmp_path, platform) == ""


def test_every_mac_has_core_ml(tmp_path: Path) -> None:
    assert checked(tmp_path, "darwin", "arm64") == ""
