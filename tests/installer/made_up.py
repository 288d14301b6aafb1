"""Small engines that are quick to install: wheels made here, a folder of them, and what an installer carries."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pip

from installer.machine import Machine
from installer.payload import Payload

working = """
import json, pathlib, sys
print("a warning, as libraries print them")
print(json.dumps({"device": "cpu", "reason": "There is no accelerator here.", "milliseconds": 7.5}))
"""
accelerated = working.replace('"cpu"', '"cuda"')
broken = "raise SystemExit('the weights are gone')"
server = """
import pathlib, sys
if "--stop" in sys.argv:
    with (pathlib.Path.home() / "stopped").open("a") as file:
        file.write(sys.prefix + "\\n")
"""


def wheel(folder: Path, name: str, version: str, files: Mapping[str, str], needs: str = "") -> Path:
    """Make a wheel."""
    about, path = f"{name}-{version}.dist-info", folder / f"{name}-{version}-py3-none-any.whl"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + (f"Requires-Dist: {needs}\n" if needs else "")
    kind = "Wheel-Version: 1.0\nGenerator: made up\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    every = {**files, f"{about}/METADATA": metadata, f"{about}/WHEEL": kind}
    every[f"{about}/RECORD"] = "".join(f"{file},,\n" for file in (*every, f"{about}/RECORD"))
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in every.items():
            archive.writestr(file, content)
    return path


def pip_wheel(folder: Path) -> Path:
    """Make what runs as pip's wheel does, faster: a folder with the pip that is installed here."""
    path = folder / "pip-1-py3-none-any.whl"
    path.mkdir()
    (path / "pip").symlink_to(Path(pip.__file__).parent)
    return path


class Maker:
    """Makes payloads whose engines need one package, `tones`, which is in `wheelhouse`."""

    def __init__(self, folder: Path, pip_wheel: Path) -> None:
        self.folder, self.pip_wheel, self.wheelhouse = folder, pip_wheel, folder / "wheelhouse"
        tones = wheel(self.wheelhouse, "tones", "2.0", {"tones.py": "curve = 1\n"})
        self.lock = f"tones==2.0 \\\n    --hash=sha256:{hashlib.sha256(tones.read_bytes()).hexdigest()}\n"

    def payload(self, version: str, trial: str = working, lock: str | None = None) -> Payload:
        """Make what an installer of a version carries; trial: what the engine's trial does."""
        folder = self.folder / f"payload {version} {hashlib.sha256(trial.encode()).hexdigest()[:6]}"
        files = {
            "installer/__init__.py": "",
            "installer/trial.py": trial,
            "model_server/__init__.py": "",
            "model_server/__main__.py": server,
            "harmonize_engine/__init__.py": "",
            "harmonize_engine/cli/__init__.py": "",
            "harmonize_engine/cli/main.py": f"import sys; print('harmonize {version}', *sys.argv[1:])",
        }
        wheel(folder, "harmonize", version, files, needs="tones")
        if not (folder / self.pip_wheel.name).exists():
            (folder / self.pip_wheel.name).symlink_to(self.pip_wheel)
        (folder / "locks").mkdir(exist_ok=True)
        for name in ("cpu", "gpu", "directml"):
            (folder / "locks" / f"{name}.txt").write_text(self.lock if lock is None else lock)
        archive = folder / "harmonize-install.pyz"
        archive.write_bytes(f"the installer of {version}".encode())
        return Payload(folder, archive)


def linux(home: Path, **environment: str) -> Machine:
    """A Linux with nothing of note but a home, and no uv."""
    home.mkdir(parents=True, exist_ok=True)
    return Machine("linux", "x86_64", {"HOME": str(home), "PATH": "/usr/bin:/bin", **environment}, home)


def tree(folder: Path) -> dict[str, bytes | None]:
    """All that is in a folder: the contents of files, None for folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }
