"""harmonize_engine.splines predicts the curve that each real editor draws through the same points."""

import json
import zipfile

import numpy as np
import pytest

from harmonize_engine.splines import draggable_points, gimp_curve, krita_curve

levels = np.arange(256) / 255


def tone_curves() -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    smooth = np.cumsum(np.exp(sum(random.normal() * np.cos(k * np.pi * levels) for k in (1, 2, 3))))
    return {
        "gamma 0.45": levels**0.45,
        "gamma 2.2": levels**2.2,
        "sigmoid": 1 / (1 + np.exp(-12 * (levels - 0.5))),
        "lift": np.clip(0.05 + 1.1 * levels, 0, 1),
        "random": 0.1 + 0.85 * (smooth - smooth[0]) / (smooth[-1] - smooth[0]),
    }


def fitted_points(curve) -> dict[str, tuple[list[float], list[float]]]:
    """Points for each tone curve, and dragged ones: flat ends, overshoot past 0 and 1."""
    points = {name: draggable_points(samples, curve) for name, samples in tone_curves().items()}
    dragged = {
        "two points": ([0, 1], [0.2, 0.7]),
        "inside": (np.array([20, 90, 200]) / 255, [0.1, 0.7, 0.75]),
        "overshoot": (np.array([0, 40, 60, 190, 205, 255]) / 255, [0, 0.02, 0.9, 0.95, 0.2, 1]),
    }
    return {name: (list(xs), list(ys)) for name, (xs, ys) in {**points, **dragged}.items()}


gimp_ramp = """
import json, struct
from bench import arguments, result
from gi.repository import Gegl, Gimp

# 3.0's own call draws on linear-light numbers, 3.2's on display-encoded ones: each gets a ramp of those
encoding, pixel = ("non_linear", "R'G'B' float") if hasattr(Gimp, "Curve") else ("linear", "RGB float")

def ramp(precision):
    image = Gimp.Image.new_with_precision(256, 1, Gimp.ImageBaseType.RGB, precision)
    layer = Gimp.Layer.new(image, "ramp", 256, 1, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    pixels = b"".join(struct.pack("=3f", *[level / 255] * 3) for level in range(256))
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, 256, 1), pixel, pixels)
    buffer.flush()
    return layer

def drawn(layer):
    whole = Gegl.Rectangle.new(0, 0, 256, 1)
    pixels = layer.get_buffer().get(whole, 1.0, pixel, Gegl.AbyssPolicy.NONE)
    return struct.unpack("=768f", pixels)[::3]

curves = {}
for name, (xs, ys) in json.loads(arguments[0]).items():
    for depth in ("u8", "float"):
        precision = getattr(Gimp.Precision, f"{depth}_{encoding}".upper())
        layer = ramp(precision)
        points = [value for point in zip(xs, ys) for value in point]
        layer.curves_spline(Gimp.HistogramChannel.VALUE, points)
        curves[f"{name} {depth}"] = drawn(layer)
        if hasattr(Gimp, "Curve"):
            layer = ramp(precision)
            curve = Gimp.Curve.new()
            curve.set_curve_type(Gimp.CurveType.SMOOTH)
            curve.clear_points()
            for point in zip(xs, ys):
                curve.add_point(*point)
            effect = Gimp.DrawableFilter.new(layer, "gimp:curves", "curves")
            config = effect.get_config()
            config.set_property("trc", Gimp.TRCType.NON_LINEAR)
            config.set_property("channel", Gimp.HistogramChannel.VALUE)
            config.set_property("curve", curve)
            effect.update()
            layer.merge_filter(effect)
            curves[f"{name} effect {depth}"] = drawn(layer)
result(json.dumps(curves))
"""


def test_gimp_draws_the_predicted_curve(gimp_root, request):
    points = fitted_points(gimp_curve)
    answer = json.loads(gimp_root.gimp(gimp_ramp, json.dumps(points)))
    ways = ["", " effect"] if "3.2" in request.node.callspec.id else [""]
    depths = ("u8", "float")
    assert set(answer) == {f"{name}{way} {depth}" for name in points for way in ways for depth in depths}
    for name, drawn in answer.items():
        predicted = gimp_curve(*points[name.rsplit(" ", 1)[0].removesuffix(" effect")], levels)
        difference = 255 * np.abs(np.array(drawn) - predicted).max()
        assert difference <= (0.501 if name.endswith("u8") else 0.002), f"{name}: {difference:.4f} levels"


main_document = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE DOC PUBLIC "-//KDE//DTD krita 2.0//EN" "http://www.calligra.org/DTD/krita-2.0.dtd">
<DOC xmlns="http://www.calligra.org/DTD/krita" editor="Krita" syntaxVersion="2.0" kritaVersion="5.2.0">
<IMAGE name="seed" mime="application/x-kra" width="1" height="1" x-res="72" y-res="72" colorspacename="RGBA"
 profile="sRGB-elle-V2-srgbtrc.icc"><layers><layer nodetype="adjustmentlayer" name="curves" filename="layer2"
 filtername="perchannel" filterversion="1" visible="1" opacity="255" compositeop="normal" x="0" y="0"
 uuid="{6a1f0f0e-5b7e-4b57-9a53-0b4b3a3f7c11}"/></layers></IMAGE></DOC>
"""


def write_curves_layer(path, curve: str) -> None:
    """A .kra of one filter layer with the curve for red, green and blue: Krita 5.2 takes curves no other way."""
    every = ["0,0;1,1;"] * 8
    every[1:4] = [curve] * 3
    params = "".join(f'<param name="curve{index}">{text}</param>' for index, text in enumerate(every))
    with zipfile.ZipFile(path, "w") as document:
        document.writestr("mimetype", "application/x-krita")
        document.writestr("maindoc.xml", main_document)
        config = f'<!DOCTYPE params><params version="1"><param name="nTransfers">8</param>{params}</params>'
        document.writestr("seed/layers/layer2.filterconfig", config)
        empty = "VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE 1\nDATA 0\n"
        document.writestr("seed/layers/layer2.pixelselection", empty)
        document.writestr("seed/layers/layer2.pixelselection.defaultpixel", b"\xff")


krita_ramp = """
import json, struct
from bench import arguments, result
from krita import Krita

def drawn(path, depth, code, top):
    profile = "sRGB-elle-V2-srgbtrc.icc"
    document = Krita.instance().createDocument(256, 1, "ramp", "RGBA", depth, profile, 72.0)
    seed = Krita.instance().openDocument(path)
    seed.setColorSpace("RGBA", depth, profile)
    seed.waitForDone()
    layer = document.createNode("ramp", "paintlayer")
    document.rootNode().addChildNode(layer, None)
    step = top // 255
    grey = b"".join(struct.pack("<4" + code, *[level * step] * 3, top) for level in range(256))
    layer.setPixelData(grey, 0, 0, 256, 1)
    document.rootNode().addChildNode(seed.topLevelNodes()[0].clone(), layer)
    seed.close()
    document.refreshProjection()
    document.waitForDone()
    pixels = bytes(document.pixelData(0, 0, 256, 1))
    document.close()
    return [value / top for value in struct.unpack("<1024" + code, pixels)[::4]]

curves = {}
for name, path in zip(json.loads(arguments[0]), arguments[1:]):
    curves[name + " u8"] = drawn(path, "U8", "B", 255)
    curves[name + " u16"] = drawn(path, "U16", "H", 65535)
result(json.dumps(curves))
"""


def test_krita_draws_the_predicted_curve(krita_root):
    points = fitted_points(krita_curve)
    paths = [krita_root.share / f"{index}.kra" for index in range(len(points))]
    for path, (xs, ys) in zip(paths, points.values(), strict=True):
        write_curves_layer(path, "".join(f"{x:.6g},{y:.6g};" for x, y in zip(xs, ys, strict=True)))
    answer = json.loads(krita_root.krita(krita_ramp, json.dumps(list(points)), *paths))
    assert set(answer) == {f"{name} {depth}" for name in points for depth in ("u8", "u16")}
    for name, drawn in answer.items():
        name, _, depth = name.rpartition(" ")
        predicted = krita_curve(*points[name], levels)
        if depth == "u16":  # colour management reads the 256-entry table at 33 nodes only
            nodes = np.linspace(0, 1, 33)
            predicted = np.interp(levels, nodes, np.interp(nodes, levels, predicted))
        difference = 255 * np.abs(np.array(drawn) - predicted).max()
        assert difference <= (0.505 if depth == "u8" else 0.02), f"{name} {depth}: {difference:.4f} levels"


@pytest.mark.parametrize("curve", [krita_curve, gimp_curve])
def test_points_given_to_the_editors_follow_the_tone_curves(curve):
    for name, samples in tone_curves().items():
        xs, ys = draggable_points(samples, curve)
        assert len(xs) <= 16, name
        assert np.abs(curve(xs, ys, levels) - samples).max() <= 1 / 255, name
