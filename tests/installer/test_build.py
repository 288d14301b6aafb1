"""The built archives: the same bytes each time, complete, and free of what is not the standard library's."""

import ast
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from installer import build as module

source = Path(module.__file__).parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("first"))


def make(folder: Path) -> Path:
    """Build, with wheels that are empty."""
    (folder / "payload").mkdir()
    for name in ("harmonize-1.2-py3-none-any.whl", "pip-26.0-py3-none-any.whl"):
        (folder / "payload" / name).write_bytes(b"")
    module.build(folder)
    return folder


def test_the_same_files_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    again = make(tmp_path)
    names = ["harmonize-gimp-1.2.zip", "harmonize-install.pyz", "harmonize-krita-1.2.zip"]
    assert sorted(path.name for path in again.iterdir() if path.is_file()) == names
    for name in names:
        assert (again / name).read_bytes() == (built / name).read_bytes(), name


def test_the_installer_carries_all_it_needs_and_nothing_of_this_machine(built: Path) -> None:
    with zipfile.ZipFile(built / "harmonize-install.pyz") as archive:
        names = set(archive.namelist())
        content = b"".join(archive.read(name) for name in names)
    assert {"__main__.py", "LICENSE", "NOTICE", "installer/commands.py", "payload/locks/cpu.txt"} <= names
    assert {"payload/gimp/harmonize/harmonize.py", "payload/krita/harmonize_krita.desktop"} <= names
    assert not any("__pycache__" in name or name == "installer/build.py" for name in names)
    assert str(source.parent).encode() not in content


def test_the_plug_ins_archives_carry_the_installer(built: Path) -> None:
    for editor in ("krita", "gimp"):
        with zipfile.ZipFile(built / f"harmonize-{editor}-1.2.zip") as archive:
            carried = next(name for name in archive.namelist() if name.endswith("harmonize-install.pyz"))
            assert archive.read(carried) == (built / "harmonize-install.pyz").read_bytes()


def test_it_runs_from_anywhere_with_no_repository(built: Path, tmp_path: Path) -> None:
    program = tmp_path / "Téléchargements 画像.pyz"
    shutil.copy(built / "harmonize-install.pyz", program)
    words = [sys.executable, "-I", program, "--help"]
    told = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=True).stdout
    assert "uninstall" in told


@pytest.mark.parametrize("name", ["cpu", "gpu", "directml", "pip"])
def test_every_locked_package_has_hashes_and_no_lock_names_an_index(name: str) -> None:
    lines = (source / "locks" / f"{name}.txt").read_text().splitlines()
    packages = [line for line in lines if "==" in line.split(";")[0]]
    assert packages and all(line.endswith("\\") for line in packages)
    assert all(line.lstrip().startswith(("--hash=sha256:", "#")) for line in lines if line not in packages)
    assert not any("://" in line or "index" in line for line in lines)


def test_the_installer_needs_nothing_but_the_standard_library() -> None:
    for path in sorted(source.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        plain += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        foreign = {name.partition(".")[0] for name in plain} - sys.stdlib_module_names - {"installer"}
        allowed = {"model_server"} if path.name == "trial.py" else set[str]()  # which runs in the engine's environment
        assert foreign <= allowed, path.name
