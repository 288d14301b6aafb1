"""What the engine is shown: GIMP's own thumbnails where their numbers are those of reading in full size."""

import json

import numpy as np
import pytest
from gimp_scene import plain
from gimp_session import Session

depths = ("u8", "u16", "u32", "half", "float")
precisions = [f"{depth}-{kind}" for depth in depths for kind in ("non-linear", "perceptual", "linear")]
sizes = [(1500, 1000), (704, 1600), (1024, 576), (480, 320)]
read_in_full = {"half-linear"}  # a thumbnail would be a level off here and there

script = """
import sys
version = "3.2" if hasattr(Gimp, "Curve") else "3.0"
sys.path.insert(0, f"/session/home/.config/GIMP/{version}/plug-ins/harmonize")
from scene import Scene

precision, width, height, special = arguments
image = image_of(width, height, precision, special == "grey")
kind = Gimp.ImageType.GRAYA_IMAGE if special == "grey" else Gimp.ImageType.RGBA_IMAGE
for name, x in (("Background", -20), ("Pasted", width // 2)):  # beyond the canvas on every side
    layer = Gimp.Layer.new(image, name, width + 80, height + 80, kind, 100, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    layer.set_offsets(x, -20)
    put(layer, "R'G'B'A u8", held("/session/share/" + name))
if special == "profile":
    image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
image.select_ellipse(Gimp.ChannelOps.REPLACE, width // 2, 0, width // 2, height)
found = []
with Scene(image, layer) as scene, Scene(image, layer) as full:
    quick, full.quick = scene.quick, False
    for each in (scene, full):
        looks = [each.small(), each.beneath()]
        each.isolate("auto")
        found.append([*looks, each.small()])
pairs = [(a, b) for one, other in zip(*found) for a, b in ((one.rgb, other.rgb), (one.alpha, other.alpha))]
differences = [abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True)]
answer = max(differences), sum(differences) / len(differences)
result(json.dumps([quick, answer, len(set(found[0][0].rgb)), len(set(found[0][2].alpha))]))
"""


@pytest.fixture(scope="module")
def compare(gimp_root):
    with Session(gimp_root, plain) as session:

        def read(precision: str, width: int, height: int, special: str = "") -> bool:
            random = np.random.default_rng(width)
            for name in ("Background", "Pasted"):
                rows, columns = np.mgrid[0 : height + 80, 0 : width + 80]
                waves = [127 + 100 * np.sin(rows / (9 + c) + columns / (30 - c)) for c in range(3)]
                alpha = np.full(rows.shape, 255.0) if name == "Background" else columns * 255 / columns.max()
                pixels = np.stack([*waves, alpha], -1) + random.uniform(-20, 20, (*rows.shape, 1)) * [1, 1, 1, 0]
                (gimp_root.share / name).write_bytes(pixels.clip(0, 255).astype(np.uint8).tobytes())
            quick, (largest, mean), colours, alphas = json.loads(session.run(script, precision, width, height, special))
            assert largest <= 1  # GIMP itself rounds a few numbers now this way, now that way
            assert mean < 1e-4
            assert min(colours, alphas) > 50  # there was something to compare
            return quick

        yield "trixie" not in gimp_root.tree.name, read


@pytest.mark.parametrize("precision", precisions)
def test_thumbnails_are_what_reading_in_full_size_gives(compare, precision):
    new, read = compare
    right = precision not in read_in_full if new else precision in ("u8-non-linear", "u8-perceptual")
    assert read(precision, 1200, 800) == right


@pytest.mark.parametrize("size", sizes)
def test_other_sizes(compare, size):
    assert compare[1]("u8-non-linear", *size)


def test_no_thumbnail_of_other_pictures(compare):
    new, read = compare
    assert not read("u8-non-linear", 1200, 800, "profile")
    assert not read("u8-non-linear", 1503, 1002)  # a block of two pixels lies across the border
    assert not read("u8-non-linear", 1600, 718)  # no whole pixels in these proportions
    assert read("u8-non-linear", 1200, 800, "grey") == new
