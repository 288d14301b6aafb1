"""An OpenRaster file, composited by its own rules, is the rendered picture."""

import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from harmonize_engine.files import ora
from harmonize_engine.pictures import read
from tests.harmonize_engine.files.layered_pictures import height, layered, light, warm, width


@pytest.fixture
def opened(tmp_path):
    """Writes a picture and gives the file's entries as an editor sees them: the stack and every PNG."""

    def write(picture):
        ora.write(picture, tmp_path / "a.ora")
        with zipfile.ZipFile(tmp_path / "a.ora") as archive:
            first = archive.infolist()[0]
            assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
            assert archive.read(first) == b"image/openraster"
            archive.extractall(tmp_path / "inside")
        stack = ElementTree.parse(tmp_path / "inside/stack.xml").getroot()
        return stack, tmp_path / "inside"

    return write


def composited(stack: ElementTree.Element, inside: Path) -> np.ndarray:
    """Visible layers from the bottom up, source over, display-encoded."""
    canvas = np.zeros((height, width, 3))
    for layer in reversed(stack.findall("stack/layer")):
        if layer.get("visibility") == "visible":
            assert layer.get("composite-op") == "svg:src-over"
            pixels = read(inside / layer.get("src")).pixels
            values = pixels / np.iinfo(pixels.dtype).max
            alpha = values[..., 3:] if values.shape[2] == 4 else 1
            canvas = canvas * (1 - alpha) + values[..., :3] * alpha
    return canvas


@pytest.mark.parametrize("cutout", [False, True])
@pytest.mark.parametrize(("depth", "tolerance"), [(np.uint8, 1 / 255), (np.uint16, 2 / 65535), (np.float32, 2 / 65535)])
def test_the_layers_make_the_result(opened, depth, tolerance, cutout):
    picture = layered(warm, light, depth=depth, cutout=cutout, dpi=(300.0, 300.0))
    stack, inside = opened(picture)
    names = ["Cut-out (harmonized)", "Cut-out", "Background"] if cutout else ["Harmonized", "Background"]
    assert [layer.get("name") for layer in stack.iter("layer")] == names
    assert (stack.get("w"), stack.get("h"), stack.get("xres")) == (str(width), str(height), "300")
    peak = 1 if depth == np.float32 else np.iinfo(depth).max
    np.testing.assert_allclose(composited(stack, inside), picture.result / peak, atol=tolerance)
    merged = read(inside / "mergedimage.png")
    np.testing.assert_allclose(merged.pixels / np.iinfo(merged.pixels.dtype).max, picture.result / peak, atol=tolerance)
    assert merged.dpi == pytest.approx((300, 300), rel=1e-4)
    assert read(inside / "Thumbnails/thumbnail.png").pixels.shape == (height, width, 3)


def test_a_hidden_harmonization_shows_the_picture_before(opened):
    picture = layered(warm, light, cutout=True, visible=False)
    stack, inside = opened(picture)
    assert [layer.get("visibility") for layer in stack.iter("layer")] == ["hidden", "visible", "visible"]
    np.testing.assert_allclose(composited(stack, inside) * 255, read(inside / "mergedimage.png").pixels, atol=1)


def test_strengths_are_baked_in(opened):
    picture = layered(warm, light, color_strength=0.0, light_strength=0.0)
    stack, inside = opened(picture)
    np.testing.assert_allclose(composited(stack, inside) * 255, picture.pixels, atol=0.6)
