"""What is put together is what Krita loads: our licence, Krita, Qt and the standard library only, any Python since 3.10."""

import ast
import subprocess
import sys
from zipfile import ZipFile

import pytest

from .conftest import folder

ours = sorted([*(folder / "harmonize_krita").glob("*.py"), folder / "build.py"])


def built(target):
    subprocess.run([sys.executable, folder / "build.py", target], check=True)
    return target


def test_the_zip_is_what_kritas_importer_wants(tmp_path):
    with ZipFile(built(tmp_path / "plugin.zip")) as archive:
        names = archive.namelist()
    assert {"harmonize_krita.desktop", "harmonize_krita.action", "harmonize_krita/", "harmonize_krita/__init__.py"} <= {
        *names
    }
    assert {"harmonize_krita/engine_client.py", "harmonize_krita/engine_setup.py", "harmonize_krita/LICENSE"} <= {*names}
    assert "harmonize_krita/harmonize-install.pyz" not in names


def test_a_zip_that_works_alone_carries_the_installer(tmp_path):
    installer = tmp_path / "built.pyz"
    installer.write_bytes(b"the installer")
    subprocess.run([sys.executable, folder / "build.py", tmp_path / "plugin.zip", installer], check=True)
    with ZipFile(tmp_path / "plugin.zip") as archive:
        assert archive.read("harmonize_krita/harmonize-install.pyz") == b"the installer"


def test_the_same_input_gives_the_same_zip(tmp_path):
    assert built(tmp_path / "one.zip").read_bytes() == built(tmp_path / "two.zip").read_bytes()


def test_beside_the_folder_pykrita_lies_the_shortcut(tmp_path):
    built(tmp_path / "krita" / "pykrita")
    found = {str(path.relative_to(tmp_path / "krita")) for path in (tmp_path / "krita").rglob("*") if path.is_file()}
    assert {
        "pykrita/harmonize_krita.desktop",
        "pykrita/harmonize_krita/docker.py",
        "actions/harmonize_krita.action",
    } <= found


@pytest.mark.parametrize("path", ours, ids=lambda path: path.name)
def test_each_file_names_its_licence_and_reads_in_the_oldest_python(path):
    text = path.read_text(encoding="utf-8")
    assert "# SPDX-License-Identifier: GPL-3.0-or-later" in text.splitlines()[:2]
    ast.parse(text, feature_version=(3, 10))


@pytest.mark.parametrize("path", ours, ids=lambda path: path.name)
def test_nothing_but_krita_qt_and_the_standard_library_is_imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        for name in names:
            root = name.split(".")[0]
            is_qt = root in ("PyQt5", "PyQt6") and path.name == "qt.py"
            assert root == "krita" or is_qt or root in sys.stdlib_module_names, f"{path.name} imports {name}"
