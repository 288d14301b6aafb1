"""Real GIMP shows, flattens, exports and saves again what the reference formula says of a written .xcf."""

import json
import re

import numpy as np
import pytest
from xcf_pictures import depths, height, pictures, width

from harmonize_engine.curves import Curves
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.files.xcf import write
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Shading
from harmonize_engine.splines import gimp_curve

peaks = {"u8": 255, "u16": 65535, "float": 1}
limits = {"u8": (3, 0.3), "u16": (1, 0.05), "float": (1, 0.05)}  # 8-bit levels: largest, mean


def bilinear(gain: np.ndarray) -> np.ndarray:
    """Half-pixel centres, border repeated."""
    for size in (height, width):
        place = (np.arange(size) + 0.5) * gain.shape[0] / size - 0.5
        gain = np.stack([np.interp(place, np.arange(gain.shape[0]), line) for line in gain.T])
    return gain


def harmonized(values: np.ndarray, picture: LayeredPicture) -> np.ndarray:
    """clip(shading(curves(values)), 0, 1), each step mixed with its input by its strength."""
    values = np.clip(values, 0, 1)
    for adjustment in picture.harmonization.adjustments:
        match adjustment:
            case Curves(x=x, y=y):
                changed = np.stack([np.interp(values[..., c], x, y[c]) for c in range(3)], -1)
                values = values + picture.color_strength * (changed - values)
            case Saturation(amount=amount):
                values = values + picture.color_strength * (saturated(values, amount) - values)
            case Shading(gain=gain):
                gain = 1 + picture.light_strength * (bilinear(gain) - 1)
                values = np.clip(values * gain[..., None], 0, 1)
    return values


def saturated(values: np.ndarray, amount: float) -> np.ndarray:
    """HSL with its saturation times 1 + amount, at most 1."""
    most, least = values.max(-1, keepdims=True), values.min(-1, keepdims=True)
    lightness, reach = (most + least) / 2, np.minimum(most + least, 2 - most - least)
    saturation = (most - least) / np.maximum(reach, 1e-9)
    grown = np.minimum(saturation * (1 + amount), 1)
    return lightness + (values - lightness) * grown / np.maximum(saturation, 1e-9)


def reference(picture: LayeredPicture, depth: str) -> np.ndarray:
    """out = C * (1 - m) + m * clip(shading(curves(C))); with a cut-out F: B * (1 - a) + a * clip(... F ...)."""
    below, mask = picture.pixels / peaks[depth], (picture.mask / peaks[depth])[..., None]
    source = below[..., :3] if picture.cutout is None else picture.cutout[..., :3] / peaks[depth]
    if not picture.visible:
        return below[..., :3] if picture.cutout is None else below * (1 - mask) + mask * source
    return below[..., :3] * (1 - mask) + mask * harmonized(source, picture)


gimp_script = """
import json
from bench import arguments, result
from gi.repository import Babl, Gegl, Gimp, Gio

def load(path):
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))

def save(image, path):
    if not Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(path)):
        raise RuntimeError(path)

def keep(layer, path):
    whole = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
    pixels = layer.get_buffer().get(whole, 1.0, None, Gegl.AbyssPolicy.NONE)
    open(path + ".pixels", "wb").write(pixels)

def shown(image, path):
    visible = Gimp.Layer.new_from_visible(image, image, "visible")
    keep(visible, path)

def flat(image, path):
    copy = image.duplicate()
    keep(copy.flatten(), path)
    copy.delete()

def described(item):
    children = item.get_children() if item.is_group() else []
    return {"name": item.get_name(), "mode": item.get_mode().value_nick, "opacity": item.get_opacity(),
            "visible": item.get_visible(), "masked": item.get_mask() is not None,
            "space": item.get_composite_space().value_nick,
            "effects": [effect.get_name() for effect in item.get_filters()],
            "children": [described(child) for child in children]}

answer = {}
for path in arguments:
    image = load(path)
    base = path[:-4]
    shown(image, base + ".projection")
    flat(image, base + ".flattened")
    save(image, base + ".png")
    exported = load(base + ".png")
    keep(exported.get_layers()[0], base + ".exported")
    save(image, base + ".again.xcf")
    again = load(base + ".again.xcf")
    shown(again, base + ".reloaded")
    profile = image.get_effective_color_profile()
    parasite = image.get_layers()[0].get_parasite("harmonize")
    answer[path.rsplit("/", 1)[1]] = {
        "layers": [described(layer) for layer in image.get_layers()],
        "precision": image.get_precision().value_nick,
        "resolution": list(image.get_resolution()[1:]),
        "profile": profile.get_description(),
        "parameters": bytes(parasite.get_data()).decode(),
    }
    image.get_layers()[0].set_visible(False)
    shown(image, base + ".switched-off")
    for each in (image, exported, again):
        each.delete()
result(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def cases() -> dict[str, LayeredPicture]:
    return pictures()


@pytest.fixture(scope="module")
def opened(gimp_root, cases):
    """What GIMP says of each file; its pixels lie beside them."""
    paths = {name: gimp_root.share / f"{name.replace(' ', '-')}.xcf" for name in cases}
    for name, path in paths.items():
        write(cases[name], path)
    answer = json.loads(gimp_root.gimp(gimp_script, *paths.values(), timeout=900))
    return {name: (path, answer[path.name]) for name, path in paths.items()}


def pixels(path, way: str, depth: str) -> np.ndarray:
    """Display-encoded values in [0,1], (H, W, 3), as GIMP's own bytes; a .png of floats has 16 bits."""
    stored = "u16" if way == "exported" and depth == "float" else depth
    numbers = np.frombuffer(path.with_suffix(f".{way}.pixels").read_bytes(), depths[stored])
    return numbers.reshape(height, width, -1)[..., :3] / peaks[stored]


def test_gimp_shows_what_the_formula_says(opened, cases):
    failed = []
    for name, picture in cases.items():
        depth = name.split()[0]
        expected = reference(picture, depth)
        for way in ("projection", "flattened", "exported", "reloaded"):
            if name == "u8 see-through" and way == "flattened":
                continue  # flattening lays it on the background colour
            written = np.clip(expected, 0, 1) if way == "exported" else expected
            difference = 255 * np.abs(pixels(opened[name][0], way, depth) - written)
            outside = difference[picture.mask == 0].max()
            unchanged = 0 if depth != "float" else 0.002 if way == "exported" else 0.0002
            largest, mean = limits[depth]
            print(f"{name} {way}: {difference.max():.3f} / {difference.mean():.4f}, outside {outside:.5f}")
            if difference.max() > largest or difference.mean() > mean or outside > unchanged:
                failed.append((name, way))
    assert not failed


def test_switched_off_gives_back_the_artists_picture(opened, cases):
    for name, picture in cases.items():
        depth = name.split()[0]
        shown = pixels(opened[name][0], "switched-off", depth)
        assert np.array_equal(shown, picture.pixels[..., :3] / peaks[depth]), name


def names(layers: list) -> list:
    """Names of layers from the top, a group as (name, what it holds)."""
    return [(layer["name"], names(layer["children"])) if layer["children"] else layer["name"] for layer in layers]


def every(layers: list) -> list:
    return [found for layer in layers for found in (layer, *every(layer["children"]))]


stack = [
    "Harmonize: clip highlights",
    "Harmonize: light (brighten)",
    "Harmonize: light (darken)",
    "Harmonize: tone curves",
]


def test_the_layers_are_those_an_artist_expects(opened):
    assert names(opened["u8 flat"][1]["layers"]) == [("Harmonize", stack), "Background"]
    assert names(opened["u8 cut-out"][1]["layers"]) == [
        ("Harmonize", [("Harmonize: adjustments", stack), "Cut-out"]),
        "Background",
    ]
    assert names(opened["u8 darker"][1]["layers"]) == [("Harmonize", ["Harmonize: light (darken)"]), "Background"]
    assert names(opened["u16 saturation"][1]["layers"])[0][1][3:] == [
        "Harmonize: tone curves",
        "Harmonize: saturation",
        "Harmonize: tone curves #1",
    ]


def test_modes_opacities_and_visibility(opened):
    layers = {layer["name"]: layer for layer in every(opened["u8 strengths"][1]["layers"])}
    modes = {name.removeprefix("Harmonize: "): layer["mode"] for name, layer in layers.items()}
    assert modes == {
        "Harmonize": "pass-through",
        "clip highlights": "darken-only",
        "light (brighten)": "divide",
        "light (darken)": "multiply",
        "tone curves": "pass-through",
        "Background": "normal",
    }
    opacities = {name: round(layer["opacity"], 3) for name, layer in layers.items() if layer["opacity"] < 100}
    assert opacities == {stack[1]: 35, stack[2]: 35, stack[3]: 60}
    assert layers["Harmonize"]["masked"]
    assert {layer["space"] for layer in layers.values()} == {"rgb-non-linear"}
    assert [layer["name"] for layer in every(opened["u8 hidden"][1]["layers"]) if not layer["visible"]] == ["Harmonize"]
    hidden = [layer["name"] for layer in every(opened["u16 hidden cut-out"][1]["layers"]) if not layer["visible"]]
    assert hidden == ["Harmonize: adjustments"]


def test_the_picture_keeps_its_depth_resolution_profile_and_parameters(opened, cases):
    for name, (_, found) in opened.items():
        assert found["precision"] == f"{name.split()[0]}-non-linear"
        assert found["profile"] == ("wide" if cases[name].icc else "GIMP built-in sRGB")
        assert Harmonization.from_json(found["parameters"]) == cases[name].harmonization
    assert opened["u8 saturated"][1]["resolution"] == [144, 72]


def test_effects_are_gimps_own_and_stay_editable(opened, cases):
    """The file that GIMP saved again still holds the points, and GIMP's curve through them is the predicted one."""
    for name in ("u8 flat", "u16 cut-out", "float strengths"):
        path, found = opened[name]
        effects = [effect for layer in every(found["layers"]) for effect in layer["effects"]]
        assert effects == ["Harmonize: tone curves"]
        saved = path.with_suffix(".again.xcf").read_bytes().decode("latin-1")
        assert saved.count("gimp:curves") == 1
        curves = cases[name].harmonization.adjustments[0]
        for channel, table in zip(("red", "green", "blue"), curves.table(256), strict=True):
            text = saved.partition(f"(channel {channel})")[2]
            shape, count, points = re.search(r"\(curve-type (\w+)\)\s+\(points (\d+) ([^)]*)\)", text).groups()
            xs, ys = np.reshape([float(number) for number in points.split()], (-1, 2)).T
            assert shape == "smooth"
            assert 4 <= int(count) <= 32
            drawn = gimp_curve(xs, ys, np.linspace(0, 1, 256))
            assert np.abs(drawn - table).max() <= 1.01 / 255
