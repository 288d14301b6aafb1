"""The plug-in as it is installed."""

import ast
import os
import runpy
import sys
import zipfile
from pathlib import Path

root = Path(__file__).parents[2]
build = runpy.run_path(str(root / "plugin_gimp/build.py"))["build"]


def test_a_folder_that_gimp_accepts(tmp_path):
    (tmp_path / "harmonize").mkdir()
    (tmp_path / "harmonize/of_an_older_version.py").touch()
    plugin = build(tmp_path)
    assert plugin == tmp_path / "harmonize"
    program = plugin / "harmonize.py"  # named like its folder
    assert program.read_text().startswith("#!/usr/bin/env python3\n")
    assert os.access(program, os.X_OK)
    assert (plugin / "engine_client.py").read_bytes() == (root / "model_server/engine_client.py").read_bytes()
    assert "GNU GENERAL PUBLIC LICENSE" in (plugin / "LICENSE").read_text()
    assert not (plugin / "of_an_older_version.py").exists()


def test_a_zip_holds_the_same(tmp_path):
    archive = zipfile.ZipFile(build(tmp_path / "plugin.zip"))
    names = {name for name in archive.namelist() if not name.endswith("/")}
    assert names == {f"harmonize/{path.name}" for path in build(tmp_path).iterdir()}


def test_a_zip_that_works_alone_carries_the_installer(tmp_path):
    installer = tmp_path / "built.pyz"
    installer.write_bytes(b"the installer")
    one, two = (build(tmp_path / f"{name}.zip", installer).read_bytes() for name in ("one", "two"))
    assert one == two
    archive = zipfile.ZipFile(tmp_path / "one.zip")
    assert archive.read("harmonize/harmonize-install.pyz") == b"the installer"
    assert archive.getinfo("harmonize/harmonize.py").external_attr >> 16 & 0o777 == 0o755  # as `unzip` makes it


def test_only_the_standard_library_the_host_and_our_own_are_imported():
    modules = list((root / "plugin_gimp").rglob("*.py"))
    own = {path.stem for path in modules} | {"engine_client", "engine_setup", "gi"}
    for path in modules:
        assert "SPDX-License-Identifier: GPL-3.0-or-later" in path.read_text(), path.name
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 10))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in names:
                top = name.split(".")[0]
                assert top in own or top in sys.stdlib_module_names, f"{path.name} imports {name}"
