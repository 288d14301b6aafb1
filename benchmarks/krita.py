"""The Krita plug-in in real Krita 5.3 and 5.2: from the click to the layers, and from a slider to the picture.

Krita runs without a window, in the roots of tests/hosts; the engine is a server that was started beforehand, as it is for
an artist from the second request on.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.served import served

here = Path(__file__).resolve().parent
sys.path.append(str(here.parent / "tests" / "hosts"))
from recipe import RootUnavailable  # noqa: E402
from roots import Root, opened  # noqa: E402

builder = here.parent / "plugin_krita" / "build.py"
large, usual = (6000, 4000), (2448, 1632)  # 24 and 4 megapixels
kritas = (("5.3", "forky"), ("5.2", "trixie"))
runs = 3

script = """
import json, os, sys, time
from array import array
from krita import Krita
os.environ["HARMONIZE_RUNTIME_DIR"] = "/session/share/runtime"
sys.path.insert(0, "/session/share/plugin")
import harmonize_krita
from bench import arguments, result
from harmonize_krita import edits, engine, record
from harmonize_krita.qt import QByteArray

krita = Krita.instance()
krita.setBatchmode(True)
engine.can_be_followed = lambda: False
width, height, depth, runs = arguments
kind, white = {"U8": ("B", 255), "U16": ("H", 65535), "F32": ("f", 1)}[depth]

def picture_of(wide, tall, colours):
    row = array(kind)
    for x in range(wide):
        values = [white * colour * (0.6 + 0.4 * (x % 97) / 97) for colour in colours] + [white]
        row.extend(values if kind == "f" else map(int, values))
    return QByteArray(row.tobytes() * tall)

made = krita.createDocument(width, height, "large", "RGBA", depth, "sRGB-elle-V2-srgbtrc.icc", 72.0)
made.topLevelNodes()[0].setPixelData(picture_of(width, height, (0.3, 0.4, 0.7)), 0, 0, width, height)
layer = made.createNode("Pasted", "paintlayer")
made.rootNode().addChildNode(layer, None)
layer.setPixelData(picture_of(width // 2, height // 2, (0.9, 0.6, 0.4)), width // 4, height // 4, width // 2, height // 2)
made.refreshProjection()
made.waitForDone()
took = {"add": [], "update": [], "slide": []}

def timed(name, act, *given, **options):
    begun = time.perf_counter()
    act(*given, **options)
    made.waitForDone()
    took[name].append(time.perf_counter() - begun)

harmonize_krita.harmonize(made, layer, anyway=True)  # warms the engine
harmonize_krita.remove(made, layer)
for run in range(runs):
    timed("add", harmonize_krita.harmonize, made, layer, anyway=True)
    timed("update", harmonize_krita.harmonize, made, layer)
    for strength in (0.3, 0.6, 1.0):
        timed("slide", edits.strengthen, made, record.read(made)[-1], strength, strength)
    harmonize_krita.remove(made, layer)
result(json.dumps(took))
"""


def measure(scratch: Path) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for version, suite in kritas:
        try:
            with opened(suite) as root, served(root.share / "runtime", root.share / "logs"):
                subprocess.run([sys.executable, builder, root.share / "plugin"], check=True)
                for depth, target in (("U8", "3 s"), ("U16", "3 s")):
                    took = timed(root, large, depth)
                    rows.append((f"Krita {version}, 24 MP {depth}, click to layers", f"{took['add']:.1f} s", target))
                    rows.append((f"Krita {version}, 24 MP {depth}, update", f"{took['update']:.1f} s", "-"))
                took = timed(root, usual, "F32")
                rows.append((f"Krita {version}, 4 MP F32, click to layers", f"{took['add']:.1f} s", "3 s"))
                took = timed(root, usual, "U8")
                rows.append((f"Krita {version}, 4 MP U8, click to layers", f"{took['add']:.1f} s", "3 s"))
                rows.append((f"Krita {version}, 4 MP U8, slider to picture", f"{took['slide']:.2f} s", "0.3 s"))
        except RootUnavailable as reason:
            rows.append((f"Krita {version}", f"not measured: {reason}", "-"))
    return rows


def timed(root: Root, size: tuple[int, int], depth: str) -> dict[str, float]:
    """Median seconds of what was done in a picture."""
    took = json.loads(root.krita(script, *size, depth, runs, timeout=600))
    return {name: statistics.median(seconds) for name, seconds in took.items()}
