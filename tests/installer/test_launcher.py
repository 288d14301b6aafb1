"""The command `harmonize`: where it is put on each system, and what it says."""

from pathlib import Path

import pytest

from installer import launcher
from installer.changes import Changes
from installer.machine import Machine
from installer.rows import silent


def placed(machine: Machine) -> Path | None:
    launcher.place(machine, Changes(machine), silent)
    return launcher.path(machine) if launcher.path(machine).exists() else None


@pytest.mark.parametrize(
    ("platform", "on_path", "name"),
    [
        ("linux", True, "harmonize"),
        ("linux", False, "harmonize"),  # a login makes it part of the PATH
        ("darwin", True, "harmonize"),
        ("darwin", False, None),
        ("win32", True, "harmonize.cmd"),
        ("win32", False, None),
    ],
)
def test_it_is_put_where_it_will_be_found(platform: str, on_path: bool, name: str | None, tmp_path: Path) -> None:
    folders = ["/bin", *([str(tmp_path / ".local/bin")] if on_path else [])]
    path = (";" if platform == "win32" else ":").join(folders)
    found = placed(Machine(platform, "x86_64", {"PATH": path}, tmp_path))
    assert (found and found.name) == name


def test_a_sandbox_leaves_none_that_would_not_start_outside(tmp_path: Path) -> None:
    assert placed(Machine("linux", "x86_64", {"PATH": "/bin", "FLATPAK_ID": "org.kde.krita"}, tmp_path)) is None


def test_on_windows_percent_signs_of_a_path_are_no_variables(tmp_path: Path) -> None:
    machine = Machine("win32", "x86_64", {"LOCALAPPDATA": str(tmp_path / "100% Zoë")}, tmp_path)
    text = launcher.content(machine).decode()
    assert "100%% Zoë" in text and text.count("\r\n") == text.count("\n")
    assert text.startswith("@rem") and text.rstrip().endswith("%*")
