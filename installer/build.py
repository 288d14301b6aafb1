#!/usr/bin/env python3
"""Put the installer and the plug-ins' archives together: python3 installer/build.py FOLDER

FOLDER/payload holds the wheels of Harmonize and of pip already; `python3 tasks.py build` sees to that. From the same files
come the same bytes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

here = Path(__file__).resolve().parent
repository = here.parent
locks = ("cpu", "gpu", "directml")
start = b"import sys\n\nfrom installer.__main__ import main\n\nsys.exit(main())\n"


def build(folder: Path) -> Path:
    """Make FOLDER/harmonize-install.pyz, and the archives of the plug-ins, which carry it. Returns the .pyz."""
    payload, program = folder / "payload", folder / "harmonize-install.pyz"
    (payload / "locks").mkdir(parents=True, exist_ok=True)
    for name in locks:
        shutil.copyfile(here / "locks" / f"{name}.txt", payload / "locks" / f"{name}.txt")
    for editor in ("krita", "gimp"):
        shutil.rmtree(payload / editor, ignore_errors=True)
        _run(repository / f"plugin_{editor}" / "build.py", payload / editor)
    _write(program, payload)
    version = next(payload.glob("harmonize-*.whl")).name.split("-")[1]
    for editor in ("krita", "gimp"):
        _run(repository / f"plugin_{editor}" / "build.py", folder / f"harmonize-{editor}-{version}.zip", program)
    return program


def _write(program: Path, payload: Path) -> None:
    """Write the .pyz: the installer's modules, what it carries, and what starts it."""
    modules = [path for path in sorted(here.glob("*.py")) if path.name != "build.py"]
    members = {f"installer/{path.name}": path.read_bytes() for path in modules}
    carried = [path for path in sorted(payload.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    members |= {f"payload/{path.relative_to(payload).as_posix()}": path.read_bytes() for path in carried}
    members |= {name: (repository / name).read_bytes() for name in ("LICENSE", "NOTICE")}
    members["__main__.py"] = start
    with open(program, "wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, content in members.items():
                stored = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
                archive.writestr(zipfile.ZipInfo(name), content, stored)  # of 1980, so that the bytes are the same
    program.chmod(0o755)


def _run(*words: str | Path) -> None:
    subprocess.run([sys.executable, *map(str, words)], stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    print(build(Path(sys.argv[1])))
