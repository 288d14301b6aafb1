#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the plug-in together: python3 plugin_gimp/build.py FOLDER|FILE.zip [harmonize-install.pyz]

FOLDER is GIMP's plug-ins folder (Edit > Preferences > Folders > Plug-ins); the plug-in becomes FOLDER/harmonize. A .zip
holds the same folder. With the installer it works alone: it offers to set up the engine. What it shares with the engine
lives in model_server/ and installer/ and is copied in here and nowhere else.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

here = Path(__file__).resolve().parent
program = "harmonize.py"  # GIMP runs it: it must be executable and named like its folder
shared = ("model_server/engine_client.py", "installer/engine_setup.py")
installer = "harmonize-install.pyz"


def build(target: Path, archive: Path | None = None) -> Path:
    """Make target/harmonize, or a .zip with it; an older one is replaced. Returns what was made.

    archive: the installer that it carries.
    """
    if target.suffix == ".zip":
        with tempfile.TemporaryDirectory() as folder:
            pack(build(Path(folder), archive), target)
        return target
    plugin = target / "harmonize"
    if plugin.exists():
        shutil.rmtree(plugin)
    plugin.mkdir(parents=True)
    for module in sorted((here / "harmonize").glob("*.py")):
        shutil.copyfile(module, plugin / module.name)
    for copy in shared:
        shutil.copyfile(here.parent / copy, plugin / Path(copy).name)
    shutil.copyfile(here / "LICENSE", plugin / "LICENSE")
    if archive is not None:
        shutil.copyfile(archive, plugin / installer)
    (plugin / program).chmod(0o755)
    return plugin


def pack(plugin: Path, target: Path) -> None:
    """Zip the folder so that the same files give the same bytes, and unpacking keeps the program executable."""
    with zipfile.ZipFile(target, "w") as made:
        for path in sorted(plugin.iterdir()):
            member = zipfile.ZipInfo(f"{plugin.name}/{path.name}")
            member.create_system, member.external_attr = 3, (0o100755 if path.name == program else 0o100644) << 16
            made.writestr(member, path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    print(build(*map(Path, sys.argv[1:])))
