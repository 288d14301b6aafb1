"""OpenRaster (.ora), for Krita, GIMP, MyPaint, Pinta and others.

OpenRaster has no curves, and its Multiply would also paint beside a soft mask, so colour and light are baked: above the
background lies one layer with the harmonized foreground, cut out by the mask. What stays editable: its opacity,
visibility, edges and pixels, and everything beneath; not the curves and the light map (.kra and .xcf hold those).

Editors differ: OpenRaster blends soft edges as the values are stored, and so does Krita 5.3 (seen: 1 level off at most),
but GIMP 3.2 blends them in linear light (5 levels on a flat picture, up to 63 in the edge of a cut-out of quite another
colour). Both open 16 bits as 8. The flat copy inside is exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from PIL.ImageCms import ImageCmsProfile, createProfile

from harmonize_engine.composite import Pixels, shrink
from harmonize_engine.files.atomic import atomic
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.pictures import png
from harmonize_engine.pictures.depth import as_depth
from harmonize_engine.render import render

thumbnail_edge = 256


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer as large as the canvas."""

    name: str
    pixels: Pixels
    visible: bool


def write(picture: LayeredPicture, path: Path) -> None:
    """Write a layered picture, display-encoded, PNGs inside of 8 bits or (16-bit and float pictures) 16 bits.

    Flat: "Background" and "Harmonized". With a cut-out: "Background", "Cut-out" and "Cut-out (harmonized)", one of them
    shown. Pixels of a flat picture that are half transparent themselves get denser. Raises what `atomic` raises.
    """
    layers = tuple(_layers(picture))
    with atomic(path) as file, ZipFile(file, "w", ZIP_STORED) as archive:
        archive.writestr("mimetype", "image/openraster")
        archive.writestr("stack.xml", _stack(picture, layers))
        for number, layer in enumerate(layers):
            archive.writestr(f"data/layer{number}.png", _png(layer.pixels, picture))
        shown = picture.result if picture.visible else _untouched(picture)
        archive.writestr("mergedimage.png", _png(shown, picture))
        archive.writestr("Thumbnails/thumbnail.png", _thumbnail(shown))


def _layers(picture: LayeredPicture) -> Iterator[Layer]:
    """The topmost layer first, as OpenRaster wants it."""
    if picture.cutout is None:
        yield Layer("Harmonized", _harmonized(picture, picture.pixels), picture.visible)
    else:
        yield Layer("Cut-out (harmonized)", _harmonized(picture, picture.cutout), picture.visible)
        yield Layer("Cut-out", picture.cutout, not picture.visible)
    yield Layer("Background", picture.pixels, True)


def _harmonized(picture: LayeredPicture, foreground: Pixels) -> Pixels:
    """The adjusted foreground with the mask as its alpha, black where that is 0."""
    alpha = as_depth(picture.mask, foreground.dtype)
    if foreground.shape[2] == 4:
        alpha = np.minimum(alpha, foreground[..., 3])
    colours = render(
        np.ascontiguousarray(foreground[..., :3]),
        np.where(alpha > 0, np.uint8(255), np.uint8(0)),
        picture.harmonization,
        picture.color_strength,
        picture.light_strength,
    )
    return np.concatenate([np.where(alpha[..., None] > 0, colours, colours.dtype.type(0)), alpha[..., None]], axis=-1)


def _untouched(picture: LayeredPicture) -> Pixels:
    """The picture before: the cut-out over its background."""
    if picture.cutout is None:
        return picture.pixels
    nothing = picture.harmonization.__class__((), "none", "0")
    return render(picture.pixels, picture.mask, nothing, source=picture.cutout)


def _stack(picture: LayeredPicture, layers: tuple[Layer, ...]) -> bytes:
    width, height = picture.size
    image = Element("image", {"version": "0.0.5", "w": str(width), "h": str(height)})
    if picture.dpi is not None:
        image.attrib |= {"xres": str(round(picture.dpi[0])), "yres": str(round(picture.dpi[1]))}
    stack = SubElement(image, "stack")
    for number, layer in enumerate(layers):
        attributes = {"name": layer.name, "src": f"data/layer{number}.png", "x": "0", "y": "0", "opacity": "1.0"}
        attributes |= {"visibility": "visible" if layer.visible else "hidden", "composite-op": "svg:src-over"}
        SubElement(stack, "layer", attributes)
    return tostring(image, encoding="utf-8", xml_declaration=True)


def _png(pixels: Pixels, picture: LayeredPicture) -> bytes:
    file = BytesIO()
    icc = picture.icc
    if pixels.dtype != np.uint8:
        pixels = as_depth(pixels, np.uint16)
        icc = icc or ImageCmsProfile(createProfile("sRGB")).tobytes()  # Krita asks for it, layer by layer
    png.encode(pixels, file, icc=icc, dpi=picture.dpi)
    return file.getvalue()


def _thumbnail(pixels: Pixels) -> bytes:
    height, width = pixels.shape[:2]
    share = min(1.0, thumbnail_edge / max(height, width))
    file = BytesIO()
    small = shrink(pixels, (max(1, round(height * share)), max(1, round(width * share))))
    png.encode(as_depth(small, np.uint8), file)
    return file.getvalue()
