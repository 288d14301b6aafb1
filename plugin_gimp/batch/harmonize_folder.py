#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Harmonize every .xcf of a folder with GIMP, without opening a window:

    python3 harmonize_folder.py PICTURES RESULTS [--layer NAME] [--always] [--gimp gimp-console]

Of each picture the layers that were selected when it was saved are harmonized, or those of the given name. The results
have the same file names; what was made is saved as layers. Ends with status 1 if a picture could not be harmonized.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

job_name = "HARMONIZE_FOLDER_JOB"  # names the file that tells GIMP what to do, and takes its answer


def main() -> int:
    """Start GIMP on the folder and tell how each picture went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--layer", help="name of the layer to harmonize; otherwise the selected ones")
    parser.add_argument("--always", action="store_true", help="also layers that are better left alone")
    parser.add_argument("--gimp", default="gimp-console")
    chosen = parser.parse_args()
    chosen.results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        paths = [str(path.resolve()) for path in (chosen.pictures, chosen.results)]
        job.write_text(json.dumps({"folders": paths, "layer": chosen.layer, "always": chosen.always}))
        script = f"exec(open({str(Path(__file__).resolve())!r}).read(), {{'__name__': 'in_gimp'}})"
        batch = ["--quit", "--batch-interpreter=python-fu-eval", "-b", script]
        environment = {**os.environ, job_name: str(job)}
        ended = subprocess.run([chosen.gimp, "-i", "-d", "-f", *batch], env=environment, capture_output=True, text=True)
        told = json.loads(job.read_text())
    if "outcomes" not in told:
        sys.exit(f"GIMP did not get through:\n{ended.stdout}{ended.stderr}")
    for name, outcome in told["outcomes"].items():
        print(f"{name}: {outcome}")
    return int(any(not outcome.startswith(("harmon", "left")) for outcome in told["outcomes"].values()))


def in_gimp() -> None:
    """Runs inside GIMP: harmonize each picture and write down how it went."""
    import gi

    gi.require_version("Gimp", "3.0")

    job = Path(os.environ[job_name])
    told = json.loads(job.read_text())
    pictures, results = map(Path, told["folders"])
    wishes = told["layer"], told["always"]
    outcomes = {path.name: _harmonized(path, results / path.name, *wishes) for path in sorted(pictures.glob("*.xcf"))}
    job.write_text(json.dumps({"outcomes": outcomes}))


def _harmonized(path: Path, result: Path, layer: str | None, always: bool) -> str:
    from gi.repository import Gimp, Gio

    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(path)))
    try:
        layers = [image.get_layer_by_name(layer)] if layer else image.get_selected_layers()
        if layers == [None]:
            return f"there is no layer {layer!r}"
        procedure = Gimp.get_pdb().lookup_procedure("plug-in-harmonize")
        if procedure is None:
            return "the plug-in is not installed"
        call = procedure.create_config()
        call.set_property("image", image)
        call.set_core_object_array("drawables", layers)
        call.set_property("always", always)
        image.clean_all()  # to GIMP 3.0 a picture that was only loaded has changed
        values = procedure.run(call)
        if values.index(0) != Gimp.PDBStatusType.SUCCESS:
            return Gimp.get_pdb().get_last_error()
        changed = image.is_dirty()
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(result)))
        before, after = values.index(1), values.index(2)
        if not changed:
            return f"left as it is: it fits already, or it would probably not help; harmony {before:.2f} (--always does it)"
        return "harmonized" if before < 0 else f"harmony {before:.2f} before, {after:.2f} after"
    finally:
        image.delete()


if __name__ == "__main__":
    sys.exit(main())
if __name__ == "in_gimp":
    in_gimp()
