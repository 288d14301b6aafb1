"""A written .xcf, read back by a small reader of the format; tests/hosts/test_xcf.py opens it in real GIMP."""

import re
import struct
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from harmonize_engine.curves import Curves
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files import xcf
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.pictures.depth import as_depth
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Shading
from harmonize_engine.splines import gimp_curve

width, height = 131, 70
pass_through, multiply, divide, darken_only, normal = 61, 30, 41, 35, 28


@dataclass
class Reader:
    """Reads a file front to back; `offsets` collects every offset in the order it was met."""

    content: bytes
    at: int = 0
    offsets: list[int] = field(default_factory=list)

    def numbers(self, form: str) -> tuple:
        self.at += struct.calcsize(">" + form)
        return struct.unpack_from(">" + form, self.content, self.at - struct.calcsize(">" + form))

    def text(self) -> str:
        (length,) = self.numbers("I")
        self.at += length
        return self.content[self.at - length : self.at - 1].decode()

    def properties(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        while (code := self.numbers("I")[0]) != 0:
            (length,) = self.numbers("I")
            self.at += length
            found[code] = found.get(code, b"") + self.content[self.at - length : self.at]
        assert self.numbers("I") == (0,)
        return found

    def pointers(self) -> list[int]:
        found = []
        while (offset := self.numbers("Q")[0]) != 0:
            found.append(offset)
        self.offsets += found
        return found

    def pixels(self, offset: int, dtype: str) -> np.ndarray:
        self.at = offset
        wide, high, size = self.numbers("3I")
        (level,) = self.pointers()
        self.at = level
        assert self.numbers("2I") == (wide, high)
        starts = self.pointers()
        assert starts == sorted(set(starts))
        assert len(starts) == -(-wide // 64) * -(-high // 64)
        channels = size // np.dtype(dtype).itemsize
        picture = np.zeros((high, wide, channels), dtype)
        places = [(top, left) for top in range(0, high, 64) for left in range(0, wide, 64)]
        for start, (top, left) in zip(starts, places, strict=True):
            tile = picture[top : top + 64, left : left + 64]
            raw = zlib.decompressobj().decompress(self.content[start:])
            tile[:] = np.frombuffer(raw, np.dtype(dtype).newbyteorder(">")).reshape(tile.shape)
        return picture

    def layer(self, offset: int, dtype: str) -> dict:
        self.at = offset
        wide, high, kind = self.numbers("3I")
        layer = {"size": (wide, high), "kind": kind, "name": self.text()}
        found = self.properties()
        pixels, mask = self.numbers("2Q")
        effects = self.pointers()
        self.offsets += [pixels] + [mask] * bool(mask)
        layer["mode"], layer["visible"] = (struct.unpack(">I", found[code])[0] for code in (7, 8))
        layer["opacity"] = struct.unpack(">f", found[33])[0]
        layer["path"] = struct.unpack(f">{len(found.get(30, b'')) // 4}I", found.get(30, b""))
        layer["group"], layer["parasites"] = 29 in found, found.get(21, b"")
        layer["pixels"] = self.pixels(pixels, dtype)
        if mask:
            self.at = mask
            assert self.numbers("2I") == (width, height)
            self.text(), self.properties()
            layer["mask"] = self.pixels(self.numbers("Q")[0], dtype)[..., 0]
        layer["effects"] = [self.effect(place) for place in effects]
        return layer

    def effect(self, offset: int) -> tuple[str, str, str]:
        self.at = offset
        name, _, operation, _ = (self.text() for _ in range(4))
        return name, operation, self.properties()[45].decode("latin-1")


def read(path: Path, dtype: str) -> tuple[dict, list[dict], Reader]:
    reader = Reader(path.read_bytes(), 14)
    head = dict(zip(("width", "height", "base", "precision"), reader.numbers("4I"), strict=True))
    head["properties"] = reader.properties()
    layers = reader.pointers()
    assert reader.pointers() == reader.pointers() == []  # no channels, no paths
    return head, [reader.layer(offset, dtype) for offset in layers], reader


def picture(dtype: str = "uint8", **more: object) -> LayeredPicture:
    random = np.random.default_rng(3)
    curves = Curves.uniform(np.linspace(0, 1, 33) ** np.array([[0.7], [1.0], [1.4]]))
    light = Shading(np.linspace(0.5, 1.9, 16 * 16).reshape(16, 16))
    depth = np.dtype(dtype).type
    mask = np.clip(np.linspace(-1, 2, width) * np.ones((height, 1)), 0, 1)
    pixels = as_depth(random.random((height, width, 3)), depth)
    flat = LayeredPicture(pixels, as_depth(mask, depth), Harmonization((curves, light), "test", "1"), pixels)
    return replace(flat, **more)


def cutout(dtype: str = "uint8") -> np.ndarray:
    return as_depth(np.random.default_rng(4).random((height, width, 4)), np.dtype(dtype).type)


def names(layers: list[dict]) -> list[str]:
    return [layer["name"].removeprefix("Harmonize: ") for layer in layers]


@pytest.mark.parametrize(("dtype", "precision"), [("uint8", 150), ("uint16", 250), ("float32", 650)])
def test_the_picture_its_depth_and_its_mask_are_stored_as_they_are(tmp_path, dtype, precision):
    flat = picture(dtype)
    xcf.write(flat, tmp_path / "out.xcf")
    head, layers, _ = read(tmp_path / "out.xcf", dtype)
    assert (tmp_path / "out.xcf").read_bytes()[:14] == b"gimp xcf v022\0"
    assert (head["width"], head["height"], head["base"], head["precision"]) == (width, height, 0, precision)
    assert head["properties"][17] == b"\2"  # zlib
    assert np.array_equal(layers[-1]["pixels"], flat.pixels)
    assert np.array_equal(layers[0]["mask"], flat.mask)


def test_every_offset_lies_inside_the_file_and_no_two_are_the_same(tmp_path):
    xcf.write(picture(cutout=cutout()), tmp_path / "out.xcf")
    _, layers, reader = read(tmp_path / "out.xcf", "uint8")
    assert len(set(reader.offsets)) == len(reader.offsets)
    assert len(layers) == 8
    assert max(reader.offsets) < len(reader.content)
    assert min(reader.offsets) > 14


def test_a_flat_picture_has_the_masked_group_above_it(tmp_path):
    xcf.write(picture(color_strength=0.75, light_strength=0.5), tmp_path / "out.xcf")
    _, layers, _ = read(tmp_path / "out.xcf", "uint8")
    assert names(layers) == [
        *("Harmonize", "clip highlights", "light (brighten)", "light (darken)", "tone curves", "Background")
    ]
    assert [layer["mode"] for layer in layers] == [pass_through, darken_only, divide, multiply, pass_through, normal]
    assert [layer["opacity"] for layer in layers] == [1, 1, 0.5, 0.5, 0.75, 1]
    assert [layer["path"] for layer in layers] == [(), (0, 0), (0, 1), (0, 2), (0, 3), ()]
    assert [layer["group"] for layer in layers] == [True, False, False, False, True, False]


def test_a_cutout_lies_in_the_group_under_the_adjustments(tmp_path):
    pasted = cutout("uint16")
    xcf.write(picture("uint16", cutout=pasted), tmp_path / "out.xcf")
    _, layers, _ = read(tmp_path / "out.xcf", "uint16")
    assert names(layers) == [
        *("Harmonize", "adjustments", "clip highlights", "light (brighten)", "light (darken)", "tone curves"),
        *("Cut-out", "Background"),
    ]
    assert [layer["mode"] for layer in layers[:2]] == [normal, pass_through]
    assert [layer["path"] for layer in (layers[1], layers[2], layers[6])] == [(0, 0), (0, 0, 0), (0, 1)]
    assert (layers[1]["mask"] == 65535).all()
    assert np.array_equal(layers[6]["pixels"], pasted)


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_light_layers_multiply_and_divide_to_the_gain(tmp_path, dtype, white):
    flat = picture(dtype)
    xcf.write(flat, tmp_path / "out.xcf")
    _, layers, _ = read(tmp_path / "out.xcf", dtype)
    clip, brighten, darken = (layers[i]["pixels"][..., 0].astype(float) / white for i in (1, 2, 3))
    gain = flat.harmonization.adjustments[1].upsample(height, width)
    rounding = 0 if white == 1 else 0.5 / white
    assert np.abs(darken - np.minimum(gain, 1)).max() <= rounding + 1e-7
    assert np.abs(brighten - 1 / np.maximum(gain, 1)).max() <= rounding + 1e-7
    assert (clip == 1).all()


def test_light_that_only_darkens_needs_one_layer(tmp_path):
    darker = Harmonization((Shading(np.full((2, 2), 0.5)),), "test", "1")
    xcf.write(picture(harmonization=darker), tmp_path / "out.xcf")
    _, layers, _ = read(tmp_path / "out.xcf", "uint8")
    assert names(layers) == ["Harmonize", "light (darken)", "Background"]


def test_without_light_a_white_layer_keeps_the_group_as_large_as_its_mask(tmp_path):
    flat = picture(harmonization=Harmonization((Curves.identity(),), "test", "1"))
    xcf.write(flat, tmp_path / "out.xcf")
    _, layers, _ = read(tmp_path / "out.xcf", "uint8")
    assert layers[1]["size"] == (width, height)
    assert (layers[1]["pixels"] == 255).all()


def test_curves_carry_exact_samples_and_points_to_drag(tmp_path):
    flat = picture()
    xcf.write(flat, tmp_path / "out.xcf")
    _, layers, _ = read(tmp_path / "out.xcf", "uint8")
    ((name, operation, text),) = layers[4]["effects"]
    assert (name, operation) == ("Harmonize: tone curves", "gimp:curves")
    curves = flat.harmonization.adjustments[0]
    for channel, y in zip(("red", "green", "blue"), curves.y, strict=True):
        curve, table = text.partition(f"(channel {channel})")[2], xcf.effects.closest_samples(curves.x, y)
        points = numbers(re.search(r"\(points \d+ ([^)]*)\)", curve)[1])
        drawn = gimp_curve(points[::2], points[1::2], np.linspace(0, 1, 256))
        assert "(curve-type smooth)" in curve
        assert len(points) <= 32
        assert np.abs(drawn - table).max() <= 1.001 / 255
        assert np.allclose(numbers(re.search(r"\(samples 256 ([^)]*)\)", curve)[1]), table, atol=1e-9)


def numbers(text: str) -> list[float]:
    return [float(number) for number in text.split()]


def test_a_curve_that_points_cannot_follow_is_drawn_free_hand(tmp_path):
    comb = Curves.uniform(np.tile([0.2, 0.8], 50) * np.ones((3, 1)))
    xcf.write(picture(harmonization=Harmonization((comb,), "test", "1")), tmp_path / "out.xcf")
    _, layers, _ = read(tmp_path / "out.xcf", "uint8")
    text = layers[2]["effects"][0][2]
    assert text.count("(curve-type free)") == 3
    assert text.count("(curve-type smooth)") == 2  # value and alpha, which change nothing


def test_curves_and_saturation_come_in_their_order(tmp_path):
    curves, saturation = Curves.identity(), Saturation(-0.25)
    several = Harmonization((curves, saturation, curves), "test", "1")
    xcf.write(picture(harmonization=several), tmp_path / "out.xcf")
    _, layers, _ = read(tmp_path / "out.xcf", "uint8")
    assert names(layers)[1:-1] == ["light (darken)", "tone curves", "saturation", "tone curves"]
    ((_, operation, text),) = layers[3]["effects"]
    assert operation == "gimp:hue-saturation"
    assert "(range all)\n(hue 0)\n(saturation -0.25)" in text


def test_an_adjustment_after_the_light_is_refused(tmp_path):
    late = Harmonization((Shading(np.ones((2, 2))), Curves.identity()), "test", "1")
    with pytest.raises(HarmonizeError) as refusal:
        xcf.write(picture(harmonization=late), tmp_path / "out.xcf")
    assert refusal.value.code == "unsupported_order"
    assert list(tmp_path.iterdir()) == []


def test_switched_off_hides_the_adjustments_but_not_the_cutout(tmp_path):
    for pasted, hidden in ((None, ["Harmonize"]), (cutout(), ["adjustments"])):
        xcf.write(picture(cutout=pasted, visible=False), tmp_path / "out.xcf")
        _, layers, _ = read(tmp_path / "out.xcf", "uint8")
        assert names([layer for layer in layers if not layer["visible"]]) == hidden


def test_floats_beyond_black_and_white_are_limited_where_they_are_adjusted(tmp_path):
    wide = picture("float32").pixels * 2 - np.float32(0.5)
    xcf.write(picture("float32", pixels=wide), tmp_path / "out.xcf")
    _, layers, _ = read(tmp_path / "out.xcf", "float32")
    assert names(layers)[-3:] == ["tone curves", "limit to black and white", "Background"]
    assert np.array_equal(layers[-1]["pixels"], wide)


def test_profile_resolution_and_parameters_go_along(tmp_path):
    flat = picture(icc=b"a profile", dpi=(300.0, 150.0))
    xcf.write(flat, tmp_path / "out.xcf")
    head, layers, _ = read(tmp_path / "out.xcf", "uint8")
    assert struct.unpack(">2f", head["properties"][19]) == (300, 150)
    assert b"icc-profile\0\0\0\0\3\0\0\0\x09a profile" in head["properties"][21]
    for parasites in (head["properties"][21], layers[0]["parasites"]):
        assert flat.harmonization.to_json().encode() in parasites


def test_alpha_is_stored(tmp_path):
    glass = cutout()
    xcf.write(picture(pixels=glass), tmp_path / "out.xcf")
    _, layers, _ = read(tmp_path / "out.xcf", "uint8")
    assert layers[-1]["kind"] == 1
    assert np.array_equal(layers[-1]["pixels"], glass)


def test_a_full_disk_leaves_nothing_behind_and_the_older_file_as_it_was(tmp_path, monkeypatch):
    target = tmp_path / "out.xcf"
    target.write_bytes(b"older")
    monkeypatch.setattr("harmonize_engine.files.xcf.tiles.compressed", full_disk)
    with pytest.raises(HarmonizeError) as failure:
        xcf.write(picture(), target)
    assert failure.value.code == "disk_full"
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"older"]


def full_disk(tile: bytes) -> bytes:
    raise OSError(28, "No space left on device")
