#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the plug-in together: python3 plugin_krita/build.py TARGET

TARGET is Krita's folder `pykrita`, any other folder, or a .zip for Tools > Scripts > Import Python Plugin from File. The
copy of the engine's client is made here; the client itself is edited in model_server/ only.
"""

import sys
import zipfile
from pathlib import Path

here = Path(__file__).resolve().parent
name = "harmonize_krita"


def files():
    """Every file of the plug-in: its name beside the plug-in's folder, and where it comes from."""
    yield f"{name}.desktop", here / f"{name}.desktop"
    for path in sorted((here / name).glob("*.py")):
        if path.name != "engine_client.py":
            yield f"{name}/{path.name}", path
    yield f"{name}/engine_client.py", here.parent / "model_server" / "engine_client.py"
    yield f"{name}/LICENSE", here / "LICENSE"


def action_file(target):
    """Where Krita looks for the shortcut: in `actions`, beside `pykrita`."""
    return (target.parent / "actions" if target.name == "pykrita" else target) / f"{name}.action"


def build(target):
    """Write the folder or the zip."""
    shortcut = here / f"{name}.action"
    if target.suffix == ".zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(f"{name}/"), b"")  # Krita's importer looks for the folder itself
            for member, path in (*files(), (shortcut.name, shortcut)):
                archive.writestr(zipfile.ZipInfo(member), path.read_bytes(), zipfile.ZIP_DEFLATED)
        return
    copies = [(target / member, path) for member, path in files()]
    for copy, path in (*copies, (action_file(target), shortcut)):
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build(Path(sys.argv[1]))
