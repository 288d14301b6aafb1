"""The plug-in in real GIMP 3.2 and 3.0: from the call to the layers, what the engine is shown, and the dialog's preview.

GIMP runs without a window, in the roots of tests/hosts; the engine is a server that was started beforehand, as it is for
an artist from the second request on.
"""

import json
import runpy
import statistics
import sys
from pathlib import Path

from benchmarks.served import served

here = Path(__file__).resolve().parent
sys.path.append(str(here.parent / "tests" / "hosts"))
from recipe import RootUnavailable  # noqa: E402
from roots import Root, opened  # noqa: E402

build = runpy.run_path(str(here.parent / "plugin_gimp" / "build.py"))["build"]
large, usual = (6000, 4000), (2448, 1632)  # 24 and 4 megapixels
gimps = (("3.2", "forky"), ("3.0", "trixie"))
runs, reads = 3, 3  # clicks, and looks before each

script = """
import json, sys, time
from array import array
from bench import arguments, result
sys.path[:0] = ["/session/share/harmonize"]
from gi.repository import Gegl, Gimp
Gegl.init(None)
from preview import Preview, recoloured
from settings import Settings
from subject import Subject
from unattended import look
from engine_client import connect

width, height, precision, runs, reads = arguments
kind, white = {"U8": ("B", 255), "U16": ("H", 65535), "FLOAT": ("f", 1)}[precision]

def put(layer, wide, tall, colours):
    row = array(kind)
    for x in range(wide):
        values = [white * colour * (0.6 + 0.4 * (x % 97) / 97) for colour in colours] + [white]
        row.extend(values if kind == "f" else map(int, values))
    area = Gegl.Rectangle.new(0, 0, wide, tall)
    buffer = layer.get_buffer()
    buffer.set(area, "R'G'B'A " + precision.lower(), row.tobytes() * tall)
    buffer.flush()
    layer.update(0, 0, wide, tall)

def layer_of(name, wide, tall, colours, x=0, y=0):
    layer = Gimp.Layer.new(image, name, wide, tall, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    layer.set_offsets(x, y)
    put(layer, wide, tall, colours)
    return layer

def call():
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-harmonize")
    config = procedure.create_config()
    config.set_property("image", image)
    config.set_core_object_array("drawables", [layer])
    config.set_property("always", True)
    if procedure.run(config).index(0) != Gimp.PDBStatusType.SUCCESS:
        raise RuntimeError(Gimp.get_pdb().get_last_error())

took = {"add": [], "update": [], "read": [], "redraw": []}

def timed(name, act):
    begun = time.perf_counter()
    made = act()
    took[name].append(time.perf_counter() - begun)
    return made

named = getattr(Gimp.Precision, precision + "_NON_LINEAR")
image = Gimp.Image.new_with_precision(width, height, Gimp.ImageBaseType.RGB, named)
layer_of("Background", width, height, (0.3, 0.4, 0.7))
layer = layer_of("Pasted", width // 2, height // 2, (0.9, 0.6, 0.4), width // 4, height // 4)
call()  # warms the engine
image.remove_layer(image.get_layers()[0])
settings = Settings.read(Gimp.get_pdb().lookup_procedure("plug-in-harmonize").create_config())
for run in range(runs):
    for _ in range(reads - 1):
        timed("read", lambda: Subject(image, layer, settings)).close()
    subject = timed("read", lambda: Subject(image, layer, settings))
    timed("add", call)
    timed("update", call)
    image.remove_layer(image.get_layers()[0])
    if run == 0:
        answer = look(connect(), subject, settings)
        adjustments = answer.harmonization["adjustments"]
        preview = Preview.of(subject.proxy, recoloured(subject.proxy.composite, adjustments, False), adjustments)
    timed("redraw", lambda: preview.after(0.2 + 0.2 * run, 1 - 0.2 * run))
    subject.close()
result(json.dumps(took))
"""


def measure(scratch: Path) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for version, suite in gimps:
        try:
            with opened(suite) as root, served(root.session / "runtime" / "harmonize", root.share / "logs"):
                build(root.session / "home/.config/GIMP" / version / "plug-ins")
                build(root.share)  # where the script looks into it
                for size, megapixels, precision, target in ((large, 24, "U8", "5 s"), (usual, 4, "FLOAT", "-")):
                    took, name = timed(root, size, precision), f"GIMP {version}, {megapixels} MP {precision}"
                    rows.append((f"{name}, click to layers", f"{took['add']:.1f} s", target))
                    rows.append((f"{name}, update", f"{took['update']:.1f} s", "-"))
                    rows.append((f"{name}, reading what the engine is shown", f"{took['read']:.2f} s", "0.3 s"))
                rows.append((f"GIMP {version}, slider to preview", f"{took['redraw']:.3f} s", "0.3 s"))
        except RootUnavailable as reason:
            rows.append((f"GIMP {version}", f"not measured: {reason}", "-"))
    return rows


def timed(root: Root, size: tuple[int, int], precision: str) -> dict[str, float]:
    """Median seconds of what was done in a picture."""
    took = json.loads(root.gimp(script, *size, precision, runs, reads, timeout=600))
    return {name: statistics.median(seconds) for name, seconds in took.items()}
