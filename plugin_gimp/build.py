#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the plug-in together: python3 plugin_gimp/build.py FOLDER|FILE.zip

FOLDER is GIMP's plug-ins folder (Edit > Preferences > Folders > Plug-ins); the plug-in becomes FOLDER/harmonize. A .zip
holds the same folder. The engine's client, which lives in model_server/, is copied in here and nowhere else.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

here = Path(__file__).resolve().parent
program = "harmonize.py"  # GIMP runs it: it must be executable and named like its folder


def build(target: Path) -> Path:
    """Make target/harmonize, or a .zip with it; an older one is replaced. Returns what was made."""
    if target.suffix == ".zip":
        with tempfile.TemporaryDirectory() as folder:
            build(Path(folder))
            return Path(shutil.make_archive(str(target.with_suffix("")), "zip", folder))
    plugin = target / "harmonize"
    if plugin.exists():
        shutil.rmtree(plugin)
    plugin.mkdir(parents=True)
    for module in sorted((here / "harmonize").glob("*.py")):
        shutil.copyfile(module, plugin / module.name)
    shutil.copyfile(here.parent / "model_server" / "engine_client.py", plugin / "engine_client.py")
    shutil.copyfile(here / "LICENSE", plugin / "LICENSE")
    (plugin / program).chmod(0o755)
    return plugin


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    print(build(Path(sys.argv[1])))
