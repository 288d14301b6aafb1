"""A written .kra, read back by a small reader of the format; tests/hosts/test_kra.py opens it in real Krita."""

import errno
import io
import re
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import pytest
from PIL import Image, ImageCms

from harmonize_engine.curves import Curves
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files import kra
from harmonize_engine.files.kra.tiles import TiledPixels
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.harmonization import Adjustment, Harmonization
from harmonize_engine.pictures.depth import as_depth
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Shading
from harmonize_engine.splines import krita_curve

width, height = 131, 70
curves = Curves.uniform(np.linspace(0, 1, 33) ** np.array([[0.7], [1.0], [1.5]]))
both_ways = Shading(np.array([[0.5, 0.9], [1.25, 1.9]]))
depths = [np.uint8, np.uint16, np.float32]


def picture(*adjustments: Adjustment, depth: type = np.uint8, cutout: bool = False, **more: object) -> LayeredPicture:
    random = np.random.default_rng(1)
    pixels = as_depth(random.random((height, width, 3)), depth)
    mask = as_depth(np.linspace(-1, 1, width).clip(0, 1)[None].repeat(height, 0), depth)
    pasted = np.dstack([as_depth(random.random((height, width, 3)), depth), mask]) if cutout else None
    return LayeredPicture(pixels, mask, Harmonization(adjustments, "test", "1"), pixels, pasted, **more)


class Document:
    """A .kra as its zip and its XML."""

    def __init__(self, path: Path) -> None:
        self.zip = ZipFile(path)
        self.image = ElementTree.fromstring(self.read("maindoc.xml"))[0]
        for element in self.image.iter():
            element.tag = element.tag.rpartition("}")[2]

    def read(self, name: str) -> bytes:
        return self.zip.read(name)

    def layer(self, name: str) -> ElementTree.Element:
        (found,) = [e for e in self.image.iter() if e.tag in ("layer", "mask") and e.get("name") == name]
        return found

    def names(self, inside: ElementTree.Element) -> list[str]:
        return [entry.get("name", "") for entry in inside.find("layers") or ()]

    def pixels(self, name: str, depth: type, ending: str = "") -> np.ndarray:
        """The layer on the canvas, in the order it is stored in."""
        file = f"{self.image.get('name')}/layers/{self.layer(name).get('filename')}{ending}"
        stored, outside = self.read(file), np.frombuffer(self.read(f"{file}.defaultpixel"), depth)
        header = re.match(rb"VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE (\d+)\nDATA (\d+)\n", stored)
        assert int(header[1]) == outside.nbytes
        canvas = np.tile(outside, (height + 63, width + 63, 1))
        at = header.end()
        for _ in range(int(header[2])):
            line = stored[at : stored.index(b"\n", at)]
            x, y, method, length = line.split(b",")
            at += len(line) + 1
            assert (method, stored[at], int(length)) == (b"LZF", 0, 1 + 64 * 64 * outside.nbytes)
            tile = np.frombuffer(stored[at + 1 : at + int(length)], depth).reshape(64, 64, -1)
            canvas[int(y) : int(y) + 64, int(x) : int(x) + 64] = tile
            at += int(length)
        assert at == len(stored)
        assert (canvas[height:] == outside).all()
        assert (canvas[:, width:] == outside).all()
        return canvas[:height, :width]

    def settings(self, name: str) -> dict[str, str]:
        file = f"{self.image.get('name')}/layers/{self.layer(name).get('filename')}.filterconfig"
        return {param.get("name", ""): param.text or "" for param in ElementTree.fromstring(self.read(file))}


def written(shown: LayeredPicture, folder: Path) -> Document:
    kra.write(shown, folder / "out.kra")
    return Document(folder / "out.kra")


def stored_order(colours: np.ndarray, alpha: np.ndarray | None = None) -> np.ndarray:
    white = 1 if colours.dtype == np.float32 else np.iinfo(colours.dtype).max
    opaque = np.full(colours.shape[:2], white, colours.dtype) if alpha is None else alpha
    order = [0, 1, 2] if colours.dtype == np.float32 else [2, 1, 0]
    return np.dstack([colours[..., order], opaque])


def test_the_zip_is_one_that_krita_knows(tmp_path):
    document = written(picture(curves, both_ways, dpi=(300.0, 300.0)), tmp_path)
    assert document.zip.testzip() is None
    first = document.zip.infolist()[0]
    assert (first.filename, first.compress_type, document.read("mimetype")) == (
        "mimetype",
        ZIP_STORED,
        b"application/x-krita",
    )
    assert b"<!DOCTYPE DOC PUBLIC" in document.read("maindoc.xml")
    about = {"width": "131", "height": "70", "x-res": "300", "y-res": "300", "colorspacename": "RGBA"}
    assert about.items() <= document.image.attrib.items()
    assert b"<title>out</title>" in document.read("documentinfo.xml")
    flat = Image.open(io.BytesIO(document.read("mergedimage.png")))
    assert np.array_equal(np.asarray(flat), picture().result)
    assert max(Image.open(io.BytesIO(document.read("preview.png"))).size) <= 256


@pytest.mark.parametrize("depth", depths)
def test_a_flat_picture_has_a_masked_clone_and_adjustments_above_it(tmp_path, depth):
    shown = picture(curves, Saturation(-0.25), both_ways, depth=depth, color_strength=0.6, light_strength=0.4)
    document = written(shown, tmp_path)
    group = document.layer("Harmonize")
    assert document.names(document.image) == ["Harmonize", "Background"]
    real = [name for name in document.names(group) if "limit" not in name and "clip" not in name]
    light = ["light"] if depth is np.float32 else ["light (brighten)", "light (darken)"]
    above = [f"Harmonize: {name}" for name in (*light, "saturation", "tone curves")]
    assert real == [*above, "Background (harmonized)"]
    assert [document.layer(name).get("opacity") for name in above] == ["102"] * len(light) + ["153"] * 2
    modes = ["multiply"] if depth is np.float32 else ["divide", "multiply"]
    assert [document.layer(name).get("compositeop") for name in above] == [*modes, "copy", "copy"]
    assert {document.layer(name).get("channelflags") for name in above[: len(light)]} == {"1110"}
    clone = document.layer("Background (harmonized)")
    assert clone.get("clonefromuuid") == document.layer("Background").get("uuid")
    assert np.array_equal(document.pixels("Background", depth), stored_order(shown.pixels))
    mask = document.pixels("Foreground", np.uint8, ".pixelselection")[..., 0]
    assert np.array_equal(mask, as_depth(shown.mask, np.uint8))


@pytest.mark.parametrize("visible", [True, False])
@pytest.mark.parametrize("depth", depths)
def test_of_a_cutout_either_the_artists_layer_or_the_group_is_shown(tmp_path, depth, visible):
    shown = picture(curves, depth=depth, cutout=True, visible=visible)
    document = written(shown, tmp_path)
    assert document.names(document.image) == ["Harmonize", "Cut-out", "Background"]
    assert document.layer("Harmonize").get("visible") == str(int(visible))
    assert document.layer("Cut-out").get("visible") == str(int(not visible))
    clone = document.layer("Cut-out (harmonized)")
    assert clone.get("clonefromuuid") == document.layer("Cut-out").get("uuid")
    assert clone.find("masks") is None
    alpha = shown.cutout[..., 3]
    stored = document.pixels("Cut-out", depth)
    assert np.array_equal(stored[alpha > 0], stored_order(shown.cutout[..., :3], alpha)[alpha > 0])


def test_light_below_one_multiplies_and_light_above_one_divides(tmp_path):
    document = written(picture(both_ways, depth=np.uint16), tmp_path)
    gain = both_ways.upsample(height, width)
    darken = document.pixels("Harmonize: light (darken)", np.uint16)
    brighten = document.pixels("Harmonize: light (brighten)", np.uint16)
    assert np.array_equal(darken[..., 0], np.rint(65535 * np.minimum(gain, 1)))
    assert np.array_equal(brighten[..., 2], np.rint(65535 / np.maximum(gain, 1)))
    assert (darken[..., 3] == 65535).all()


@pytest.mark.parametrize(("low", "high", "mode"), [(0.5, 0.9, "darken"), (1.1, 1.9, "brighten")])
def test_light_of_one_direction_is_one_layer(tmp_path, low, high, mode):
    document = written(picture(Shading(np.array([[low, high]]))), tmp_path)
    assert document.names(document.layer("Harmonize")) == [f"Harmonize: light ({mode})", "Background (harmonized)"]


def test_a_float_picture_multiplies_by_gains_above_one_and_clips_afterwards(tmp_path):
    document = written(picture(curves, both_ways, depth=np.float32), tmp_path)
    gain = document.pixels("Harmonize: light", np.float32)
    assert np.allclose(gain[..., 0], both_ways.upsample(height, width), atol=1e-6)
    assert document.names(document.layer("Harmonize"))[0] == "Harmonize: clip highlights"
    assert (document.pixels("Harmonize: clip highlights", np.float32) == 1).all()
    white, black = (document.pixels(f"Harmonize: limit to {name}", np.float32) for name in ("white", "black"))
    assert 0.999999 < white[0, 0, 0] < 1
    assert 0 < black[0, 0, 0] < 0.000001


@pytest.mark.parametrize(("depth", "tolerance", "most"), [(np.uint8, 1, 16), (np.uint16, 0.1, 33)])
def test_the_curves_are_few_points_on_the_prediction(tmp_path, depth, tolerance, most):
    settings = written(picture(curves, depth=depth), tmp_path).settings("Harmonize: tone curves")
    assert (settings["nTransfers"], settings["curve0"], settings["curve4"]) == ("8", "0,0;1,1;", "0,0;1,1;")
    for channel, table in enumerate(curves.table(256), start=1):
        points = np.array([point.split(",") for point in settings[f"curve{channel}"].split(";")[:-1]], float)
        assert len(points) <= most
        drawn = krita_curve(points[:, 0], points[:, 1], np.linspace(0, 1, 256))
        assert 255 * np.abs(drawn - table).max() <= tolerance + 1e-3


def test_a_curve_that_few_points_cannot_follow_has_all_of_them(tmp_path):
    jagged = Curves.uniform(np.tile(np.linspace(0, 0.9, 256) + 0.1 * (np.arange(256) % 2), (3, 1)))
    text = written(picture(jagged), tmp_path).settings("Harmonize: tone curves")["curve1"]
    ys = [float(point.split(",")[1]) for point in text.split(";")[:-1]]
    assert np.allclose(ys, jagged.table(256)[0], atol=1e-6)


def test_every_adjustment_is_a_layer_and_saturation_has_whole_percents(tmp_path):
    document = written(picture(curves, curves, Saturation(0.254), curves), tmp_path)
    assert document.names(document.layer("Harmonize")) == [
        "Harmonize: tone curves",
        "Harmonize: saturation",
        "Harmonize: tone curves",
        "Harmonize: tone curves",
        "Background (harmonized)",
    ]
    sliders = document.settings("Harmonize: saturation")
    assert (sliders["type"], sliders["h"], sliders["s"], sliders["v"]) == ("1", "0", "25", "0")


def test_the_parameters_are_in_the_file(tmp_path):
    shown = picture(curves, both_ways)
    document = written(shown, tmp_path)
    assert document.image.find("Annotations/Annotation[@type='harmonize']") is not None
    assert Harmonization.from_json(document.read("harmonize/annotations/harmonize")) == shown.harmonization


def test_srgb_goes_by_the_name_of_kritas_own_and_a_profile_goes_with_every_paint_layer(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (None, srgb, b"not a profile"):
        document = written(picture(curves, icc=icc), tmp_path)
        assert document.image.get("profile") == "sRGB-elle-V2-srgbtrc.icc"
        own = document.read("harmonize/annotations/icc")
        assert ImageCms.getProfileDescription(io.BytesIO(own)).strip() == "sRGB-elle-V2-srgbtrc.icc"
    wide = swapped(srgb)
    document = written(picture(curves, both_ways, icc=wide), tmp_path)
    assert document.image.get("profile") == ImageCms.getProfileDescription(io.BytesIO(wide)).strip()
    assert document.read("harmonize/annotations/icc") == wide
    with_profile = [
        name for name in document.zip.namelist() if name.startswith("harmonize/layers/") and name.endswith(".icc")
    ]
    assert len(with_profile) == 3


def swapped(icc: bytes) -> bytes:
    """The profile with red and green exchanged: far from sRGB."""
    return icc.replace(b"rXYZ", b"tmp_").replace(b"gXYZ", b"rXYZ").replace(b"tmp_", b"gXYZ")


def test_empty_tiles_are_left_out():
    plain = TiledPixels(130, 70, lambda top, bottom: np.zeros((bottom - top, 130, 1), np.uint8), np.zeros(1, np.uint8))
    stream = io.BytesIO()
    plain.write(stream)
    assert stream.getvalue().endswith(b"DATA 0\n")


@pytest.mark.parametrize("after", [curves, Saturation(0.1), both_ways])
def test_nothing_may_follow_the_light(tmp_path, after):
    with pytest.raises(HarmonizeError) as failure:
        kra.write(picture(both_ways, after), tmp_path / "out.kra")
    assert failure.value.code == "unsupported_order"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("room", [0, 100, 2_000, 20_000, 60_000])
def test_a_full_disk_leaves_nothing_behind_and_the_older_file_as_it_was(tmp_path, monkeypatch, room):
    (tmp_path / "out.kra").write_bytes(b"older")
    monkeypatch.setattr(Path, "open", lambda path, mode: SmallDisk(room, path, mode))
    with pytest.raises(HarmonizeError) as failure:
        kra.write(picture(curves, both_ways), tmp_path / "out.kra")
    assert failure.value.code == "disk_full"
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"older"]


class SmallDisk(io.FileIO):
    """A file on a disk with room for so many bytes."""

    def __init__(self, room: int, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self.room = room

    def write(self, content) -> int:  # type: ignore[override]
        if self.tell() + len(content) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(content)
