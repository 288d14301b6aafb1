"""`harmonize doctor`: whether everything that Harmonize needs is there and works."""

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from time import perf_counter

import numpy as np

from harmonize_engine import __version__, network
from harmonize_engine.composite import proxy
from harmonize_engine.engine import default_model, harmonize
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.render import render
from installer.failure import InstallError
from installer.machine import Machine
from installer.rows import Row

summary = "check that everything Harmonize needs is there and works"
oldest_python = (3, 11)
packages = {"numpy": (1, 26), "pillow": (11, 0), "tifffile": (2024, 8), "onnxruntime": (1, 20)}
least_memory = 512 << 20  # bytes


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a report without private data, for an issue")
    parser.add_argument("--engine", action="store_true", help="check this engine only, not what is installed around it")


def run(arguments: argparse.Namespace) -> None:
    """Do it. Raises HarmonizeError `problems_found`."""
    from installer import doctor  # here, so that no other verb waits for it

    machine = Machine.this()
    try:
        if arguments.engine:
            doctor.tell(checks(), machine, arguments, __version__)
        else:
            doctor.examine(machine, doctor.payload(machine), arguments, checks(), __version__)
    except InstallError as error:
        raise HarmonizeError(error.code, error.message, error.hint) from error


def checks() -> Iterator[Row]:
    """Examine this engine."""
    for check in (_python, _packages, _weights, _device, _one_picture, _temporary_folder, _memory):
        yield from check()


def _python() -> Iterator[Row]:
    fine = tuple(map(int, platform.python_version_tuple()[:2])) >= oldest_python
    todo = "" if fine else "Use Python 3.11 or later."
    yield Row("Python", fine, f"{platform.python_version()} on {platform.system()} {platform.machine()}", todo)


def _packages() -> Iterator[Row]:
    for name, oldest in packages.items():
        version = _version(name)
        fine = version is not None and _numbers(version) >= oldest
        wanted = ".".join(map(str, oldest))
        yield Row(name, fine, version or "missing", "" if fine else f"Install {name} {wanted} or later.")


def _version(package: str) -> str | None:
    names = (package, "onnxruntime-gpu") if package == "onnxruntime" else (package,)
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _weights() -> Iterator[Row]:
    def found() -> str:
        return f"{default_model} {network.Network.load(default_model).card.version}, SHA-256 is right"

    yield _checked("weights", found)


def _device() -> Iterator[Row]:
    def found() -> str:
        from model_server.limits import Limits
        from model_server.shelf import Shelf

        shelf = Shelf(None, "auto", (), Limits().model_memory)
        shelf.warm()
        return ": ".join(filter(None, (shelf.device.name, shelf.device.reason)))

    yield _checked("device", found)


def _one_picture() -> Iterator[Row]:
    def found() -> str:
        across, down = np.meshgrid(np.linspace(0, 1, 640), np.linspace(0, 1, 480))
        pixels = np.rint(255 * np.stack((across, down, 1 - across), -1)).astype(np.uint8)
        mask = np.where((across - 0.5) ** 2 + (down - 0.5) ** 2 < 0.06, 255, 0).astype(np.uint8)
        harmonize(proxy(pixels, mask))  # the first takes longer
        start = perf_counter()
        harmonization = harmonize(proxy(pixels, mask))
        looked = perf_counter()
        render(pixels, mask, harmonization)
        return f"{1000 * (looked - start):.0f} ms looking, {1000 * (perf_counter() - looked):.0f} ms rendering, 640x480"

    yield _checked("one picture", found)


def _checked(what: str, find: Callable[[], str]) -> Row:
    """A row of a check that fails by raising; whatever it raises, the other checks go on."""
    try:
        return Row(what, True, find())
    except HarmonizeError as error:
        return Row(what, False, f"{error.message} [{error.code}]", error.hint)
    except Exception as error:
        return Row(what, False, f"{type(error).__name__}: {error}", "Install Harmonize again.")


def _temporary_folder() -> Iterator[Row]:
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(1 << 16))
    except OSError as error:
        yield Row("temp folder", False, f"cannot be written to: {error.strerror}", "Free space there, or set TMPDIR.")
    else:
        yield Row("temp folder", True, tempfile.gettempdir())


def _memory() -> Iterator[Row]:
    free = _free_memory()
    if free is None:
        yield Row("free memory", True, "not told by this system")
    else:
        fine = free >= least_memory
        yield Row("free memory", fine, f"{free / (1 << 30):.1f} GiB", "" if fine else "Close other programs.")


def _free_memory() -> int | None:
    """Bytes a new program can have, where the system tells."""
    try:
        with open("/proc/meminfo") as lines:
            available = next(line for line in lines if line.startswith("MemAvailable"))
        return int(available.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
