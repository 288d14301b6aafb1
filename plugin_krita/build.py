#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the plug-in together: python3 plugin_krita/build.py TARGET [harmonize-install.pyz]

TARGET is Krita's folder `pykrita`, any other folder, or a .zip for Tools > Scripts > Import Python Plugin from File. With
the installer it works alone: it offers to set up the engine. Copies of what it shares with the engine are made here; the
client is edited in model_server/ only, the set-up in installer/ only.
"""

import sys
import zipfile
from pathlib import Path

here = Path(__file__).resolve().parent
name = "harmonize_krita"
shared = ("model_server/engine_client.py", "installer/engine_setup.py")
installer = "harmonize-install.pyz"


def files(archive=None):
    """Every file of the plug-in: its name beside the plug-in's folder, and where it comes from."""
    yield f"{name}.desktop", here / f"{name}.desktop"
    for path in sorted((here / name).glob("*.py")):
        if path.name not in [Path(copy).name for copy in shared]:
            yield f"{name}/{path.name}", path
    for copy in shared:
        yield f"{name}/{Path(copy).name}", here.parent / copy
    yield f"{name}/LICENSE", here / "LICENSE"
    if archive is not None:
        yield f"{name}/{installer}", archive


def action_file(target):
    """Where Krita looks for the shortcut: in `actions`, beside `pykrita`."""
    return (target.parent / "actions" if target.name == "pykrita" else target) / f"{name}.action"


def build(target, archive=None):
    """Write the folder or the zip; archive: the installer that it carries."""
    shortcut = here / f"{name}.action"
    if target.suffix == ".zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr(zipfile.ZipInfo(f"{name}/"), b"")  # Krita's importer looks for the folder itself
            for member, path in (*files(archive), (shortcut.name, shortcut)):
                made.writestr(zipfile.ZipInfo(member), path.read_bytes(), zipfile.ZIP_DEFLATED)
        return
    copies = [(target / member, path) for member, path in files(archive)]
    for copy, path in (*copies, (action_file(target), shortcut)):
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    build(*map(Path, sys.argv[1:]))
