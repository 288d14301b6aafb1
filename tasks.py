#!/usr/bin/env python3
"""Every chore of this repository, from a fresh clone with only Python (3.11 or newer): python3 tasks.py TASK

Each task first makes or completes the environment it needs in .venv; all may be run again at any time.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

root = Path(__file__).resolve().parent
environment = root / ".venv"
scripts = environment / ("Scripts" if os.name == "nt" else "bin")
python = scripts / ("python.exe" if os.name == "nt" else "python")
code = [
    "harmonize_engine",
    "model_server",
    "installer",
    "plugin_krita",
    "plugin_gimp",
    "tests",
    "benchmarks",
    "examples",
    "tasks.py",
]
# The registry's Linux build of PyTorch brings gigabytes of CUDA; only the CPU build may come in by itself.
torch = "torch==2.13.0+cpu" if sys.platform == "linux" else "torch==2.13.0"
in_ci = os.environ.get("CI", "").lower() in ("1", "true")


def run(*command: str | Path) -> None:
    """Run a command in the repository and stop here if it fails."""
    subprocess.run([str(part) for part in command], cwd=root, check=True)


def tool(name: str, *arguments: str) -> None:
    """Run one of the environment's programs."""
    run(scripts / name, *arguments)


def make_environment() -> None:
    """Make the environment, with nothing in it but pip, unless it is there."""
    if not python.exists():
        venv.create(environment, with_pip=True)


def prepare(extras: str) -> None:
    """Install Harmonize and the extras, editable, unless that was done for this very pyproject.toml."""
    make_environment()
    wanted = hashlib.sha256((root / "pyproject.toml").read_bytes() + extras.encode()).hexdigest()
    stamp = environment / f"ready-{extras.replace(',', '-')}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", f".[{extras}]")
    stamp.write_text(wanted)


def prepare_training() -> None:
    """Install PyTorch's CPU build where pip can find it; in CI it must."""
    found = subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0
    if not found:
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", torch]
        found = subprocess.run(install, capture_output=not in_ci, check=in_ci).returncode == 0
    if found:
        prepare("train")
    else:
        print("PyTorch's CPU build is not to be had here: the tests of training are left out (see CONTRIBUTING.md).")


def demo() -> None:
    """Harmonize an example picture and say where the results are."""
    prepare("cpu")
    results = root / "results"
    results.mkdir(exist_ok=True)
    example, result = root / "examples" / "espresso-daylight", results / "espresso-daylight"
    outputs = [result.with_suffix(suffix) for suffix in (".png", ".kra", ".xcf", ".cube")]
    run(
        *(scripts / "harmonize", "apply", f"{example}.jpg", "--mask", f"{example}-mask.png"),
        *("--background", f"{example}-background.jpg", "--report", result.with_suffix(".html"), "-o", *outputs),
    )
    print(f"\nThe picture, its layered files for Krita and GIMP, and a report to look at are in {results}")


def lint() -> None:
    """Check format and style."""
    prepare("cpu,dev")
    here = [path for path in code if (root / path).exists()]
    tool("ruff", "format", "--check", *here)
    tool("ruff", "check", *here)


def fix() -> None:
    """Format, and mend what can be mended."""
    prepare("cpu,dev")
    tool("ruff", "format")
    tool("ruff", "check", "--fix")


def types() -> None:
    """Check types, strictly."""
    prepare("cpu,dev")
    prepare_training()
    tool("pyright", "--pythonpath", str(python))


def test() -> None:
    """Lint, types and all tests; those in real GIMP and Krita where Debian roots can be made (always in CI)."""
    lint()
    types()
    tool("pytest", *sys.argv[2:])


def bench() -> None:
    """Measure speed and memory and print a table."""
    prepare("cpu,dev")
    run(python, "-m", "benchmarks", *sys.argv[2:])


def lock() -> None:
    """Choose the newest packages for the installer, with the hashes of all their files."""
    make_environment()
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    words = "pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 --no-annotate"
    words += " --no-emit-index-url --custom-compile-command"
    for wanted in sorted((root / "installer" / "locks").glob("*.in")):
        engine = [] if wanted.stem == "pip" else ["pyproject.toml"]
        locked = str(wanted.with_suffix(".txt"))
        tool("uv", *words.split(), "python3 tasks.py lock", *engine, str(wanted), "-o", locked)


def build() -> None:
    """Make the wheel, the installer and the plug-ins' archives, in dist/."""
    make_environment()
    dist = root / "dist"
    payload = dist / "payload"
    shutil.rmtree(dist, ignore_errors=True)
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-deps", "--wheel-dir", payload, ".")
    run(*pip, "download", "--dest", payload, "--require-hashes", "-r", "installer/locks/pip.txt")
    run(python, "installer/build.py", dist)
    for wheel in payload.glob("harmonize-*.whl"):
        shutil.copyfile(wheel, dist / wheel.name)


def install() -> None:
    """Build, and install the engine and the plug-ins for this user."""
    build()
    run(python, root / "dist" / "harmonize-install.pyz", "install", *sys.argv[2:])


chores = (demo, test, lint, types, fix, bench, lock, build, install)
tasks: dict[str, Callable[[], None]] = {task.__name__: task for task in chores}


def main() -> int:
    """Run the task named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choices = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    for name, task in tasks.items():
        choices.add_parser(name, help=task.__doc__, add_help=False)
    chosen, _ = parser.parse_known_args()
    try:
        tasks[chosen.task]()
    except subprocess.CalledProcessError as error:
        print(f"\n{Path(error.cmd[0]).name} failed (exit status {error.returncode}).", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
