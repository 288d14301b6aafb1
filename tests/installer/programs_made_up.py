"""A whole harmonize-install.pyz around a small engine, for what must be seen in a process of its own."""

import runpy
import shutil
import zipfile
from pathlib import Path

import pip

from installer.payload import Payload

repository = Path(__file__).resolve().parents[2]
write = runpy.run_path(str(repository / "installer/build.py"))["_write"]


def program(path: Path, payload: Payload) -> Path:
    """Make it; its pip is a wheel in earnest, of the pip that is installed here."""
    folder = path.with_name(f"{path.stem} payload")
    shutil.copytree(payload.folder, folder, ignore=shutil.ignore_patterns("pip-*"))
    home = Path(pip.__file__).parent
    with zipfile.ZipFile(folder / "pip-1-py3-none-any.whl", "w") as archive:
        for file in sorted(home.rglob("*.p[ye]*")):
            if "__pycache__" not in file.parts:
                archive.write(file, f"pip/{file.relative_to(home).as_posix()}")
    write(path, folder)
    return path
