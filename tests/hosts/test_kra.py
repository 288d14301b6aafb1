"""Real Krita shows, and saves again, what the reference formula says of a written .kra."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from harmonize_engine.curves import Curves
from harmonize_engine.files.kra import write
from harmonize_engine.files.kra.filters import curves_filter
from harmonize_engine.files.kra.stack import tone_tolerance
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.harmonization import Adjustment, Harmonization
from harmonize_engine.pictures.depth import as_depth
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Shading

width, height = 173, 105  # several tiles, neither side a whole number of them
depths = {"u8": np.uint8, "u16": np.uint16, "f32": np.float32}
limits = {"u8": (3, 0.4), "u16": (2.5, 0.05), "f32": (0.5, 0.05)}  # 8-bit levels: largest, mean
limits_of_many = {"u8": (6, 0.5), "u16": (2.5, 0.1), "f32": (2.5, 0.1)}  # three curves and saturation, each rounded
rows, columns = np.mgrid[0:height, 0:width]


def scene() -> np.ndarray:
    """Noise on waves of colour, a grey ramp, and plain white and black."""
    random = np.random.default_rng(4)
    waves = [np.sin(rows / 9 + 2 * c) * np.cos(columns / (7 + 3 * c)) for c in range(3)]
    colours = 0.5 + 0.5 * np.stack(waves, -1) + random.normal(0, 0.04, (height, width, 3))
    colours[50:54] = columns[:4, :, None] / (width - 1)
    colours[54:58], colours[58:62] = 1, 0
    return np.clip(colours, 0, 1)


def soft_mask() -> np.ndarray:
    return np.clip(1.5 - np.hypot(rows - 55, columns - 90) / 40, 0, 1)


def tone_curves(seed: int) -> Curves:
    """A prediction as the model makes it: 33 knots, rising, each channel its own."""
    random = np.random.default_rng(seed)
    bends = sum(random.normal(0, 0.5, (3, 1)) * np.cos(k * np.pi * np.linspace(0, 1, 32)) for k in (1, 2, 3))
    rise = np.cumsum(np.pad(np.exp(bends), ((0, 0), (1, 0))), axis=1)
    return Curves.uniform(0.04 + 0.9 * (rise - rise[:, :1]) / (rise[:, -1:] - rise[:, :1]))


def light_map(low: float, high: float) -> Shading:
    down, across = np.mgrid[0:16, 0:16] / 15
    return Shading(low + (high - low) * (0.5 + 0.5 * np.sin(4 * across + 5 * down**2)))


def picture(depth: str, *adjustments: Adjustment, cutout: bool = False, **more: object) -> LayeredPicture:
    pixels = as_depth(scene(), depths[depth])
    mask = as_depth(soft_mask(), depths[depth] if cutout else np.uint8)  # Krita's masks have 8 bits in every depth
    pasted = np.dstack([pixels, mask]) if cutout else None
    under = as_depth(np.ascontiguousarray(scene()[::-1]), depths[depth]) if cutout else pixels
    return LayeredPicture(under, mask, Harmonization(adjustments, "test", "1"), under, pasted, **more)


def pictures() -> dict[str, LayeredPicture]:
    both = (tone_curves(1), light_map(0.5, 1.9))
    cases = {}
    for depth in depths:
        cases[f"{depth} flat"] = picture(depth, *both)
        cases[f"{depth} cut-out"] = picture(depth, *both, cutout=True)
        cases[f"{depth} strengths"] = picture(depth, *both, color_strength=0.6, light_strength=0.4)
        many = (tone_curves(2), Saturation(-0.3), tone_curves(3), tone_curves(1), light_map(0.6, 1.3))
        cases[f"{depth} many"] = picture(depth, *many)
        cases[f"{depth} off"] = picture(depth, *both, cutout=True, visible=False)
    cases["u8 darker"] = picture("u8", light_map(0.4, 0.9))
    cases["u8 brighter"] = picture("u8", tone_curves(1), light_map(1.1, 1.9), dpi=(150.0, 150.0))
    return cases


def gains(shading: Shading) -> np.ndarray:
    """Bilinear, half-pixel centres, the border repeated."""
    gain = shading.gain
    for size in (height, width):
        place = (np.arange(size) + 0.5) * gain.shape[0] / size - 0.5
        gain = np.stack([np.interp(place, np.arange(gain.shape[0]), line) for line in gain.T])
    return gain


def expected(shown: LayeredPicture) -> np.ndarray:
    """The reference formula in float64; each layer mixed with what is under it by its strength."""
    peak = 1 if shown.pixels.dtype == np.float32 else np.iinfo(shown.pixels.dtype).max
    under = shown.pixels.astype(float) / peak
    values = under if shown.cutout is None else shown.cutout[..., :3].astype(float) / peak
    m = shown.mask.astype(float)[..., None] / (255 if shown.mask.dtype == np.uint8 else peak)
    for adjustment in shown.harmonization.adjustments if shown.visible else ():
        strength = shown.color_strength
        match adjustment:
            case Curves(x=x, y=y):
                changed = np.stack([np.interp(values[..., c], x, y[c]) for c in range(3)], -1)
            case Saturation(amount=amount):
                lightness = (values.max(-1, keepdims=True) + values.min(-1, keepdims=True)) / 2
                changed = lightness + (1 + amount) * (values - lightness)
            case Shading():
                strength = shown.light_strength
                changed = values * gains(adjustment)[..., None]
                if peak > 1:  # an integer layer cannot hold more than white, so Divide is cut before it is mixed
                    changed = changed.clip(0, 1)
        values = values + strength * (changed - values)
    return under * (1 - m) + m * values.clip(0, 1)


look = """
import json
from bench import arguments, result
from krita import Krita

krita = Krita.instance()
krita.setBatchmode(True)

def keep(node, name):
    with open(name, "wb") as file:
        file.write(bytes(node.pixelData(0, 0, document.width(), document.height())))

def describe(node):
    described = {"name": node.name(), "type": node.type(), "opacity": node.opacity(), "visible": node.visible()}
    described["blend"] = node.blendingMode()
    if node.type() == "filterlayer":
        described["filter"] = node.filter().name()
        described["settings"] = node.filter().configuration().properties()
    described["children"] = [describe(child) for child in node.childNodes()]
    return described

def opened(path):
    document = krita.openDocument(path)
    document.refreshProjection()
    document.waitForDone()
    return document

def show(path):
    global document
    document = opened(path)
    keep(document, path + ".shown")
    answer = {"layers": [describe(node) for node in document.topLevelNodes()], "dpi": document.resolution()}
    answer["annotation"] = bytes(document.annotation("harmonize")).decode()
    answer["space"] = [document.colorModel(), document.colorDepth(), document.colorProfile()]
    document.saveAs(path.replace(".kra", "-again.kra"))
    for node in document.topLevelNodes():
        if node.name() != "Harmonize":
            keep(node, path + "." + node.name())
        node.setVisible(node.name() == "Background")
    document.refreshProjection()
    document.waitForDone()
    keep(document, path + ".without")
    return answer

def show_again(path, answer):
    global document
    document = opened(path.replace(".kra", "-again.kra"))
    keep(document, path + ".again")
    answer["again"] = [describe(node) for node in document.topLevelNodes()]
    answer["annotation again"] = bytes(document.annotation("harmonize")).decode()
    return answer

answers = []
for path in arguments:
    answer = show(path)  # functions, so that no layer is held any more when its document closes
    document.close()
    answers.append(show_again(path, answer))
    document.close()
result(json.dumps(answers))
"""


@dataclass
class Opened:
    """What Krita said of a file, and the pixels it gave, RGBA in the file's depth."""

    picture: LayeredPicture
    answer: dict
    path: str

    def pixels(self, of: str) -> np.ndarray:
        dtype = self.picture.pixels.dtype
        given = np.fromfile(f"{self.path}.{of}", dtype).reshape(height, width, 4)
        return given if dtype == np.float32 else given[..., [2, 1, 0, 3]]

    def group(self) -> dict:
        (group,) = [layer for layer in self.answer["layers"] if layer["name"] == "Harmonize"]
        return group


@pytest.fixture(scope="module")
def opened(krita_root) -> dict[str, Opened]:
    cases = pictures()
    paths = [krita_root.share / f"{number}.kra" for number in range(len(cases))]
    for shown, path in zip(cases.values(), paths, strict=True):
        write(shown, path)
    # a Krita of its own for each: one that saves and closes a dozen documents by script may crash
    answers = [json.loads(krita_root.krita(look, path, timeout=100))[0] for path in paths]
    found = zip(cases.items(), answers, paths, strict=True)
    return {name: Opened(shown, answer, str(path)) for (name, shown), answer, path in found}


@pytest.mark.parametrize("name", pictures())
def test_krita_shows_the_reference(opened, name):
    shown = opened[name].picture
    pixels = opened[name].pixels("shown")
    peak = 1 if shown.pixels.dtype == np.float32 else np.iinfo(shown.pixels.dtype).max
    error = 255 * np.abs(pixels[..., :3].astype(float) / peak - expected(shown))
    inside = shown.mask > 0
    print(f"{name}: largest {error.max():.2f}, mean inside {error[inside].mean():.3f}")
    largest, mean = (limits_of_many if "many" in name else limits)[name.split()[0]]
    assert error.max() <= largest
    assert error[inside].mean() <= mean
    assert np.array_equal(pixels[~inside][..., :3], shown.pixels[~inside])
    assert (pixels[..., 3] == peak).all()


@pytest.mark.parametrize("name", pictures())
def test_saved_again_by_krita_it_is_the_same(opened, name):
    again, shown = opened[name].pixels("again"), opened[name].pixels("shown")
    assert np.abs(again - shown).max() < 1e-6 if again.dtype == np.float32 else np.array_equal(again, shown)
    assert opened[name].answer["again"] == opened[name].answer["layers"]
    for when in ("annotation", "annotation again"):
        assert Harmonization.from_json(opened[name].answer[when]) == opened[name].picture.harmonization


@pytest.mark.parametrize("name", pictures())
def test_without_the_group_it_is_the_artists_picture(opened, name):
    shown = opened[name].picture
    assert np.array_equal(opened[name].pixels("without")[..., :3], shown.pixels)
    if shown.cutout is not None:
        painted = shown.cutout[..., 3] > 0
        assert np.array_equal(opened[name].pixels("Cut-out")[painted], shown.cutout[painted])


def test_the_layers_are_native_and_named(opened):
    rows = [(c["name"], c["type"], c["blend"], c["opacity"]) for c in opened["u8 strengths"].group()["children"]]
    assert rows == [
        ("Background (harmonized)", "clonelayer", "normal", 255),
        ("Harmonize: tone curves", "filterlayer", "copy", 153),
        ("Harmonize: light (darken)", "paintlayer", "multiply", 102),
        ("Harmonize: light (brighten)", "paintlayer", "divide", 102),
    ]
    (mask,) = opened["u8 strengths"].group()["children"][0]["children"]
    assert (mask["name"], mask["type"]) == ("Foreground", "transparencymask")
    names = [layer["name"] for layer in opened["u8 many"].group()["children"]]
    assert names[1:4] == ["Harmonize: tone curves", "Harmonize: saturation", "Harmonize: tone curves"]
    assert [c["name"] for c in opened["u8 darker"].group()["children"]][1:] == ["Harmonize: light (darken)"]
    assert opened["u8 brighter"].answer["dpi"] == 150


def test_either_the_cutout_or_its_harmonized_clone_is_shown(opened):
    for name, hidden in (("u8 cut-out", "Cut-out"), ("u8 off", "Harmonize")):
        layers = opened[name].answer["layers"]
        assert [layer["name"] for layer in layers] == ["Background", "Cut-out", "Harmonize"]
        assert [layer["name"] for layer in layers if not layer["visible"]] == [hidden]


@pytest.mark.parametrize("depth", depths)
def test_the_curves_can_be_edited(opened, depth):
    curves = opened[f"{depth} flat"].picture.harmonization.adjustments[0]
    (layer,) = [c for c in opened[f"{depth} flat"].group()["children"] if c["type"] == "filterlayer"]
    written = curves_filter(curves, tone_tolerance[depths[depth]]).parameters
    assert layer["filter"] == "perchannel"
    assert {f"curve{c}": layer["settings"][f"curve{c}"] for c in range(8)} == {
        f"curve{c}": written[f"curve{c}"] for c in range(8)
    }
    assert all(layer["settings"][f"curve{c}"].count(";") <= 33 for c in (1, 2, 3))


def test_a_profile_that_krita_knows_is_kept(krita_root):
    wide = "ClayRGB-elle-V2-g22.icc"
    icc = (krita_root.tree / "usr/share/color/icc/krita" / wide).read_bytes()
    shown, path = picture("u16", tone_curves(1), light_map(0.5, 1.9), icc=icc), krita_root.share / "wide.kra"
    write(shown, path)
    (answer,) = json.loads(krita_root.krita(look, path))
    assert answer["space"] == ["RGBA", "U16", wide]
    error = 255 * np.abs(Opened(shown, answer, str(path)).pixels("shown")[..., :3] / 65535 - expected(shown))
    assert error.max() <= limits["u16"][0]
    assert error[shown.mask > 0].mean() <= limits["u16"][1]


@pytest.mark.parametrize("case", ["u8 flat", "u16 cut-out", "f32 flat"])
def test_krita_opens_it_without_a_word(krita_root, case):
    """Outside batch mode a complaint is a dialog that waits for a click: the script would not end."""
    path = krita_root.share / "quiet.kra"
    write(pictures()[case], path)
    script = """
from bench import arguments, result
from krita import Krita
Krita.instance().setBatchmode(False)
result(Krita.instance().openDocument(arguments[0]).width())
"""
    assert krita_root.krita(script, path, timeout=60) == str(width)
