"""How a Debian root with both editors is made: what goes in, from which mirror, and how it is warmed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

suites = ("forky", "trixie")
packages = (
    *("gimp", "gir1.2-gimp-3.0", "python3-gi"),
    *("krita", "python3-pyqt5"),
    *("xvfb", "xauth", "xdotool", "openbox", "imagemagick", "x11-utils", "fonts-dejavu-core"),
    *("python3-numpy", "python3-pil"),  # for checks
)
options = (
    "--mode=root",
    "--variant=apt",
    '--aptopt=Acquire::Check-Valid-Until "false"',  # the date of testing's Release file runs out
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=force-unsafe-io",
    *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "locale")),
    "--include=" + ",".join(packages),
)
gimprc = "(show-welcome-dialog no)\n(check-updates no)\n"
warm_gimp = "from bench import result\nresult('warm')\n"
warm_krita = """
from bench import result
from krita import InfoObject, Krita
document = Krita.instance().createDocument(8, 8, "warm", "RGBA", "U8", "", 72.0)
document.setBatchmode(True)
document.exportImage("/session/share/warm.png", InfoObject())
result("warm")
"""
# kritarunner and krita keep separate resource databases: krita itself is warmed by an export under Xvfb.
warm_export = ("krita", "/session/share/warm.png", "--export", "--export-filename", "/session/share/out.png")


class RootUnavailable(Exception):
    """No root can be made on this machine; the message is one line that says why."""


def key(suite: str) -> str:
    """Names the root: it changes whenever anything that makes the root does."""
    recipe = json.dumps([suite, options, gimprc, warm_gimp, warm_krita, warm_export])
    return f"{suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"


def bootstrap(suite: str, tree: Path, log: Path, namespace: tuple[str, ...]) -> None:
    """Fill the folder with the suite's packages; in its own namespace, so that no mount outlives a kill."""
    require_tools("mmdebstrap", "zstd")
    command = [*namespace, "--mount-proc", "mmdebstrap", *options, suite, str(tree), mirror(suite)]
    with log.open("w") as stream:
        ended = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if ended.returncode:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise RootUnavailable(f"mmdebstrap could not make {suite}: {(lines or ['no message'])[-1]} ({log})")


def require_tools(*tools: str) -> None:
    """Install what is missing with the machine's own apt."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    if not missing:
        return
    install = shlex.join(["apt-get", "install", "--yes", "--no-install-recommends", *missing])
    shell = ["sh", "-c", f"{install} || (apt-get update && {install})"]
    subprocess.run(shell, capture_output=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if missing := [tool for tool in missing if not shutil.which(tool)]:
        raise RootUnavailable(f"{' and '.join(missing)} is missing and apt could not install it")


def mirror(suite: str) -> str:
    """The first site of this machine's own apt configuration that has the suite."""
    if not shutil.which("apt-get"):
        raise RootUnavailable("the editors' roots need a Debian machine with apt")
    targets = ["apt-get", "indextargets", "--format", "$(SITE)"]
    listed = subprocess.run(targets, capture_output=True, text=True)
    sites = listed.stdout.split()  # empty where `apt-get update` never ran, hence the sources too
    for source in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        lines = source.read_text().splitlines() if source.is_file() else []
        used = "\n".join(line for line in lines if not line.startswith("#"))
        sites += re.findall(r"\bhttps?://[^\s\]]+", used)
    with tempfile.TemporaryDirectory() as folder:
        for site in dict.fromkeys(site.rstrip("/") for site in sites):
            release = f"{site}/dists/{suite}/Release"
            fetch = ["/usr/lib/apt/apt-helper", "download-file", release, f"{folder}/Release"]
            if subprocess.run(fetch, capture_output=True).returncode == 0:
                return site
    raise RootUnavailable(f"no mirror that apt is configured for has Debian {suite}, or none answers")
