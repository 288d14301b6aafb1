"""An installation from nothing, and the clicks after it: what an artist downloads and waits for.

The archives are built here. `--killed` also kills 30 installers of the real engine at random moments, and repairs.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.append(str(here.parent / "tests" / "hosts"))
from install_kit import Artist, built, python_of, wheelhouse, working  # noqa: E402
from recipe import RootUnavailable  # noqa: E402

editors = (("5.3", "3.2", "forky"), ("5.2", "3.0", "trixie"))
side = (2448, 1632)  # 4 megapixels
kills = 30
clicks = 4  # the first of which starts the engine

in_krita = """
import json, os, sys, time
from krita import Krita
sys.path.insert(0, os.path.expanduser("~/.local/share/krita/pykrita"))
import harmonize_krita
from bench import arguments, result
from harmonize_krita.qt import QByteArray
krita = Krita.instance()
krita.setBatchmode(True)
width, height, clicks = arguments

def picture_of(wide, tall, *colours):
    row = [int(colour * (0.6 + 0.4 * (x % 97) / 97)) for x in range(wide) for colour in colours]
    row[3::4] = [255] * wide
    return QByteArray(bytes(row) * tall)

made = krita.createDocument(width, height, "four", "RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc", 72.0)
bottom = made.topLevelNodes()[0]
bottom.setPixelData(picture_of(width, height, 80, 100, 180, 255), 0, 0, width, height)
layer = made.createNode("Pasted", "paintlayer")
made.rootNode().addChildNode(layer, None)
half = width // 2, height // 2
layer.setPixelData(picture_of(*half, 220, 150, 100, 255), width // 4, height // 4, *half)
made.refreshProjection()
made.waitForDone()
took = []
for click in range(clicks):
    begun = time.perf_counter()
    harmonize_krita.harmonize(made, layer, anyway=True)
    made.waitForDone()
    took.append(time.perf_counter() - begun)
    harmonize_krita.remove(made, layer)
result(json.dumps(took))
"""
in_gimp = """
import json, time
from bench import arguments, result
from gi.repository import Gegl, Gimp
Gegl.init(None)
width, height, clicks = arguments

def layer_of(name, wide, tall, x, y, *colours):
    layer = Gimp.Layer.new(image, name, wide, tall, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    layer.set_offsets(x, y)
    row = [int(colour * (0.6 + 0.4 * (x % 97) / 97)) for x in range(wide) for colour in colours]
    row[3::4] = [255] * wide
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, wide, tall), "R'G'B'A u8", bytes(row) * tall)
    buffer.flush()
    layer.update(0, 0, wide, tall)
    return layer

image = Gimp.Image.new(width, height, Gimp.ImageBaseType.RGB)
layer_of("Background", width, height, 0, 0, 80, 100, 180, 255)
layer = layer_of("Pasted", width // 2, height // 2, width // 4, height // 4, 220, 150, 100, 255)
took = []
for click in range(clicks):
    begun = time.perf_counter()
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-harmonize")
    config = procedure.create_config()
    config.set_property("image", image)
    config.set_core_object_array("drawables", [layer])
    config.set_property("always", True)
    if procedure.run(config).index(0) != Gimp.PDBStatusType.SUCCESS:
        raise RuntimeError(Gimp.get_pdb().get_last_error())
    took.append(time.perf_counter() - begun)
    image.remove_layer(image.get_layers()[0])
result(json.dumps(took))
"""


def measure(scratch: Path) -> list[tuple[str, str, str]]:
    dist = built(scratch / "dist")
    rows = [*_from_the_index(scratch / "home", dist)]
    for krita, gimp, suite in editors:
        try:
            with working(suite) as artist:
                rows += _in_the_editors(artist, dist, f"Krita {krita}", f"GIMP {gimp}")
        except RootUnavailable as reason:
            rows.append((f"Krita {krita}, GIMP {gimp} after installing", f"not measured: {reason}", "-"))
    if "--killed" in sys.argv:
        rows.append(_killed(scratch / "killed", dist))
    return rows


def _from_the_index(home: Path, dist: Path) -> list[tuple[str, str, str]]:
    """Install for the Python that runs this, from the index that pip is configured for."""
    program = dist / "harmonize-install.pyz"
    wheels = wheelhouse(f"{sys.version_info.major}.{sys.version_info.minor}")
    downloads = _bytes(wheels) + program.stat().st_size
    took = _run(home, program, "install", "--no-editors")
    again = _run(home, program, "install", "--no-editors")
    disk = _bytes(home / ".local/share/harmonize")
    gone = _run(home, program, "uninstall")
    return [
        ("download: the installer, and packages for the CPU", f"{downloads / 1e6:.0f} MB", "80 MB"),
        ("installing the engine from the index", f"{took:.0f} s", "60 s"),
        ("installing again what is there and works", f"{again:.1f} s", "-"),
        ("on disk", f"{disk / 1e6:.0f} MB", "350 MB"),
        ("uninstalling", f"{gone:.1f} s", "-"),
    ]


def _in_the_editors(artist: Artist, dist: Path, krita: str, gimp: str) -> list[tuple[str, str, str]]:
    shutil.copytree(wheelhouse(python_of(artist.tree)), artist.files / "wheels")
    shutil.copy(dist / "harmonize-install.pyz", artist.files)
    program = ("python3", "/session/files/harmonize-install.pyz", "install", "--yes")
    ended = artist.run(*program, "--wheelhouse", "/session/files/wheels", timeout=300)
    assert ended.returncode == 0, ended.stdout
    rows: list[tuple[str, str, str]] = []
    for name, run, script in ((krita, artist.krita, in_krita), (gimp, artist.gimp, in_gimp)):
        artist.give(artist.bench)
        first, *later = json.loads(run(script, *side, clicks, timeout=300))
        rows.append((f"{name}, 4 MP, first click after installing, to layers", f"{first:.1f} s", "6 s"))
        rows.append((f"{name}, 4 MP, later clicks", f"{sorted(later)[len(later) // 2]:.1f} s", "1.5 s"))
    return rows


def _killed(home: Path, dist: Path) -> tuple[str, str, str]:
    """Kill installers with SIGKILL, spread over all their steps, and have `repair` finish each."""
    program, randoms = dist / "harmonize-install.pyz", random.Random(3)
    wheels = wheelhouse(f"{sys.version_info.major}.{sys.version_info.minor}")
    (home / ".config").mkdir(parents=True)
    (home / ".config/kritarc").write_text("# theirs\n")
    lasts = _run(home, program, "install", "--wheelhouse", wheels)
    well = 0
    for number in range(kills):
        shutil.rmtree(home / ".local", ignore_errors=True)
        child = _start(home, program, "install", "--wheelhouse", wheels)
        time.sleep(lasts * (number + randoms.random()) / kills)
        (os.killpg if randoms.random() < 0.5 else os.kill)(child.pid, signal.SIGKILL)
        child.communicate()
        _run(home, program, "repair", "--wheelhouse", wheels)
        command = [home / ".local/bin/harmonize", "doctor", "--json"]
        ended = subprocess.run(command, env=_environment(home), capture_output=True, check=False)
        well += bool(json.loads(ended.stdout)["ok"])
    _run(home, program, "uninstall")
    return f"{kills} installers killed, `repair`, and all is well", f"{well} times", f"{kills} times"


def _run(home: Path, program: Path, *words: str | Path) -> float:
    begun = time.perf_counter()
    child = _start(home, program, *words)
    said, _ = child.communicate()
    assert child.returncode == 0, said.decode()
    return time.perf_counter() - begun


def _start(home: Path, program: Path, *words: str | Path) -> subprocess.Popen[bytes]:
    home.mkdir(exist_ok=True)
    command = [sys.executable, program, *words, "--yes"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, env=_environment(home), start_new_session=True, **pipes)


def _environment(home: Path) -> dict[str, str]:
    elsewhere = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "HARMONIZE_"))}
    return elsewhere | {"HOME": str(home), "HARMONIZE_RUNTIME_DIR": str(home / "run")}


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
