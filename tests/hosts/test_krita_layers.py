"""The plug-in's layers in real Krita show what the reference formula says, and leave the artist's own as they were."""

import numpy as np
import pytest
from krita_plugin import Desk, height, light_map, native, scene, soft_disc, tone_curves, usual, width

from harmonize_engine.harmonization import Harmonization
from harmonize_engine.pictures.depth import as_depth
from harmonize_engine.render import exact
from harmonize_engine.saturation import Saturation

both = Harmonization((tone_curves(1), light_map(0.5, 1.9)), "test", "1")
many = Harmonization((tone_curves(2), Saturation(-0.3), tone_curves(3), light_map(0.6, 1.3)), "test", "1")
limits = {"U8": (3, 0.4), "U16": (2.5, 0.05), "F16": (0.5, 0.05), "F32": (0.5, 0.05)}  # 8-bit levels: largest, mean
steps = {"U8": 0, "U16": 0, "F16": 2**-11, "F32": 1e-5}  # what blending a layer with nothing may round off
steps_of_part = {"U8": 0, "U16": 2 / 65535, "F16": 2**-9, "F32": 1e-4}  # it is blended twice
limits_of_many = {"U8": (6, 0.6), "U16": (2.5, 0.1)}  # three filters, each rounded
limits_of_linear = (14, 1.0)  # display-encoded levels: light multiplies by one power for all of the display's curve

harmonize = """
width, height, depth, profile, kind = arguments
picture = document(width, height, depth, {"srgb": srgb, "linear": linear}[profile], (share / "background").read_bytes())
layer = picture.topLevelNodes()[0]
if kind != "flat":
    layer = add(picture, pixels=(share / "cutout").read_bytes())
if kind != "own":
    select(picture, (share / "mask").read_bytes())

def keep(name):
    (share / name).write_bytes(bytes(picture.pixelData(0, 0, width, height)))

shown(picture)
keep("before")
artists = bytes(layer.pixelData(0, 0, width, height))
outcome = harmonize_krita.harmonize(picture, layer)
keep("shown")
said = {"sentence": outcome.sentence, "untouched": artists == bytes(layer.pixelData(0, 0, width, height))}
said["tree"] = [tree(one) for one in picture.topLevelNodes()]
for name, act in (
    ("off", lambda: harmonize_krita.show(False, picture, layer)),
    ("on", lambda: harmonize_krita.show(True, picture, layer)),
    ("weak", lambda: harmonize_krita.strengthen(0, 0, picture, layer)),
    ("strong", lambda: harmonize_krita.strengthen(1, 1, picture, layer)),
):
    act()
    keep(name)
name = layer.name()
picture.saveAs(str(share / "again.kra"))
picture.close()
picture = krita.openDocument(str(share / "again.kra"))
shown(picture)
keep("again")
said["tree again"] = [tree(one) for one in picture.topLevelNodes()]
harmonize_krita.remove(picture, [one for one in picture.topLevelNodes() if one.name() == name][0])
keep("removed")
"""


@pytest.fixture(scope="module")
def desk(krita_root) -> Desk:
    return Desk(krita_root)


def harmonized(desk: Desk, depth: str, kind: str, answer: Harmonization = both, profile: str = "srgb") -> tuple:
    """Harmonize the scene; returns what was said, and what the reference takes: the picture, the mask, the cut-out."""
    encoded = scene() if profile != "linear" else decode(scene())
    background = native(encoded if kind == "flat" else encoded[::-1], np.ones((height, width)), depth)
    cutout, mask = native(encoded, soft_disc(), depth), as_depth(soft_half() if kind == "part" else soft_disc(), np.uint8)
    for name, pixels in (("background", background), ("cutout", cutout), ("mask", mask)):
        desk.put(name, pixels)
    said = desk.run(harmonize, width, height, depth, profile, kind, answer=answer)
    if kind == "flat":
        return said, usual(background), mask, None
    return said, usual(background), usual(cutout)[..., 3], usual(cutout)


def encode(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.0031308, 12.92 * values, 1.055 * np.clip(values, 0.0031308, None) ** (1 / 2.4) - 0.055)


def decode(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def soft_half() -> np.ndarray:
    """A selection of the right side, with an edge of many pixels."""
    return np.clip((np.mgrid[0:height, 0:width][1] - 60) / 60, 0, 1)


def unit(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., :3].astype(float) / (1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max)


@pytest.mark.parametrize("kind", ["own", "flat"])
@pytest.mark.parametrize("depth", limits)
def test_krita_shows_the_reference(desk, depth, kind):
    said, picture, mask, cutout = harmonized(desk, depth, kind)
    reference = exact(picture, mask, both, cutout)
    inside = mask > 0
    for name in ("shown", "again"):
        error = 255 * np.abs(unit(desk.got(name, depth)) - reference)
        print(f"{depth} {kind} {name}: largest {error[inside].max():.2f}, mean {error[inside].mean():.3f}")
        assert error[inside].max() <= limits[depth][0]
        assert error[inside].mean() <= limits[depth][1]
        assert np.array_equal(desk.got(name, depth)[~inside][..., :3], picture[~inside][..., :3])
    assert said["tree again"] == said["tree"]
    assert said["untouched"]
    for same, other in (("off", "before"), ("on", "shown"), ("weak", "before"), ("strong", "shown"), ("removed", "before")):
        difference = np.abs(unit(desk.got(same, depth)) - unit(desk.got(other, depth))).max()
        assert difference <= steps[depth], f"{same} is not {other}"


@pytest.mark.parametrize("depth", limits)
def test_a_selected_part_of_a_layer_keeps_the_layers_soft_edges(desk, depth):
    """The selection fades the change only; how opaque the layer is stays as it was."""
    said, picture, _, cutout = harmonized(desk, depth, "part")
    colours = exact(cutout[..., :3], as_depth(soft_half(), np.uint8), both)
    alpha = cutout[..., 3:].astype(float) / (1 if cutout.dtype.kind == "f" else np.iinfo(cutout.dtype).max)
    reference = unit(picture) * (1 - alpha) + colours * alpha
    inside = (alpha[..., 0] > 0) & (soft_half() > 0)
    for name in ("shown", "again", "strong"):
        error = 255 * np.abs(unit(desk.got(name, depth)) - reference)
        print(f"{depth} part {name}: largest {error[inside].max():.2f}, mean {error[inside].mean():.3f}")
        assert error[inside].max() <= limits[depth][0]
        assert error[inside].mean() <= limits[depth][1]
        assert np.array_equal(desk.got(name, depth)[~inside], desk.got("before", depth)[~inside])
    assert said["tree again"] == said["tree"]
    assert said["untouched"]
    for same in ("off", "weak", "removed"):
        assert np.abs(unit(desk.got(same, depth)) - unit(desk.got("before", depth))).max() <= steps_of_part[depth]


@pytest.mark.parametrize("depth", limits_of_many)
def test_three_filters_one_after_the_other(desk, depth):
    _, picture, mask, cutout = harmonized(desk, depth, "own", many)
    error = 255 * np.abs(unit(desk.got("shown", depth)) - exact(picture, mask, many, cutout))[mask > 0]
    print(f"{depth} many: largest {error.max():.2f}, mean {error.mean():.3f}")
    assert error.max() <= limits_of_many[depth][0]
    assert error.mean() <= limits_of_many[depth][1]


@pytest.mark.parametrize("kind", ["own", "flat"])
@pytest.mark.parametrize("depth", ["U16", "F32"])
def test_a_linear_document_comes_close_and_is_told(desk, depth, kind):
    said, picture, mask, cutout = harmonized(desk, depth, kind, profile="linear")
    weight = (mask / (255 if mask.dtype == np.uint8 else 65535 if mask.dtype == np.uint16 else 1))[..., None]
    colours = encode(unit(picture if cutout is None else cutout)).astype(np.float32)
    changed = exact(colours, np.ones((height, width), np.float32), both)
    reference = unit(picture) * (1 - weight) + decode(changed) * weight
    error = 255 * np.abs(encode(unit(desk.got("shown", depth))) - encode(reference))
    inside = mask > 0
    print(f"{depth} linear {kind}: largest {error[inside].max():.2f}, mean {error[inside].mean():.3f}")
    assert error[inside].max() <= limits_of_linear[0]
    assert error[inside].mean() <= limits_of_linear[1]
    assert np.array_equal(desk.got("shown", depth)[~inside][..., :3], picture[~inside][..., :3])
    assert "linear" in said["sentence"]


def test_the_layers_are_native_and_named(desk):
    said, *_ = harmonized(desk, "U8", "own")
    assert said["tree"][1:] == [
        ["Pasted", "paintlayer", "normal", 0, []],  # its clone shows instead; it can still be painted on
        [
            "Harmonize: Pasted",
            "grouplayer",
            "normal",
            255,
            [
                ["Pasted (clone)", "clonelayer", "normal", 255, []],
                ["Tone curves", "filterlayer", "copy", 255, []],
                ["Darken", "paintlayer", "multiply", 255, []],
                ["Brighten", "paintlayer", "divide", 255, []],
            ],
        ],
    ]
    said, *_ = harmonized(desk, "U8", "flat", Harmonization((light_map(0.4, 0.9),), "test", "1"))
    (group,) = [one for one in said["tree"] if one[1] == "grouplayer"]
    assert [one[0] for one in group[4]] == ["Background (clone)", "Darken", "Foreground"]
    assert said["tree"][0][3] == 255
