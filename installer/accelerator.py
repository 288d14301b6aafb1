"""Whether it is worth downloading what an accelerator needs; whether it works, only a trial tells."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from installer.failure import InstallError
from installer.machine import Machine, clean_environment
from installer.rows import Tell

oldest_driver = 580  # the first for CUDA 13, which the locked ONNX Runtime is built with
megabytes = 1600  # of CUDA, cuDNN and ONNX Runtime's part
_told_by_kernel = Path("/proc/driver/nvidia/version")


def check(machine: Machine, tell: Tell) -> None:
    """Look for NVIDIA's driver on a Linux; Windows and macOS bring their own. Raises InstallError `gpu_unfit`."""
    if machine.platform != "darwin" and machine.architecture != "x86_64":
        raise InstallError(
            "gpu_unfit", f"For accelerators of a computer with {machine.architecture} there are no packages."
        )
    if machine.platform != "linux":
        return
    driver = _driver(machine)
    if driver is None:
        raise InstallError("gpu_unfit", "No driver of NVIDIA was found.")
    if driver < oldest_driver:
        message = f"NVIDIA's driver {driver} is too old: {oldest_driver} or later is needed."
        raise InstallError("gpu_unfit", message, "Update the driver, then install with --device gpu again.")
    tell(f"NVIDIA's driver {driver} is there; about {megabytes} MB will be downloaded", None)


def _driver(machine: Machine) -> int | None:
    """The main number of the driver's version, as the kernel or NVIDIA's own program tells it."""
    try:
        found = re.search(r"(?:Module|x86_64)\s+(\d{3,})\.\d", _told_by_kernel.read_text(errors="replace"))
    except OSError:
        found = None
    program = shutil.which("nvidia-smi", path=clean_environment(machine).get("PATH"))
    if found is None and program is not None:
        words = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
        try:
            told = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False).stdout
        except (OSError, subprocess.SubprocessError):
            return None
        found = re.match(rb"(\d{3,})\.", told.strip())
    return int(found[1]) if found else None
