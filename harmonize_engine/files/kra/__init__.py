"""Krita's .kra, written without Krita: the picture, and above it the adjustments as layers an artist can edit.

The group "Harmonize" holds a live clone of the artist's layer, cut out by a transparency mask where the picture is flat,
and above it, from below: tone curves and saturation as filter layers, light as Multiply and Divide layers that inherit
alpha. That is out = C * (1 - m) + m * clip(adjusted(C), 0, 1), display-encoded, in the depth of the picture. Opens in
Krita 5.2 and later; Document.annotation("harmonize") gives the Harmonization as JSON.
"""

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from PIL import Image

from harmonize_engine.files.atomic import atomic
from harmonize_engine.files.kra.layers import Layer
from harmonize_engine.files.kra.profile import Profile
from harmonize_engine.files.kra.stack import stack
from harmonize_engine.files.kra.tiles import edge
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.pictures.depth import as_depth

namespace = "http://www.calligra.org/DTD"
folder = "harmonize"  # of everything that is not at the top of the zip
color_spaces = {"uint8": "RGBA", "uint16": "RGBA16", "float32": "RGBAF32"}
preview_edge = 256
zip64_limit = 1 << 31


def write(picture: LayeredPicture, path: Path) -> None:
    """Write a picture and its adjustments as a .kra of the picture's own depth, display-encoded as it is.

    Raises HarmonizeError `unsupported_order` where something follows the light map, and what `atomic` raises.
    """
    layers, profile = stack(picture), Profile.of(picture.icc)
    with atomic(path) as file, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("mimetype", "application/x-krita", ZIP_STORED)
        archive.writestr("maindoc.xml", _main_document(picture, layers, profile.name))
        archive.writestr("documentinfo.xml", _about(path.stem))
        for layer in (layer for top in layers for layer in top.all()):
            _write_layer(archive, layer, profile)
        archive.writestr(f"{folder}/annotations/harmonize", picture.harmonization.to_json())
        archive.writestr(f"{folder}/annotations/icc", profile.icc)
        _write_flat_copies(archive, picture)


def _main_document(picture: LayeredPicture, layers: tuple[Layer, ...], profile: str) -> bytes:
    width, height = picture.size
    across, down = picture.dpi or (72.0, 72.0)
    attributes = {"xmlns": f"{namespace}/krita", "editor": "Krita", "syntaxVersion": "2.0"}
    document = Element("DOC", attributes | {"kritaVersion": "5.2.0"})
    image = SubElement(document, "IMAGE", {"name": folder, "mime": "application/x-kra", "description": ""})
    image.attrib |= {"width": str(width), "height": str(height), "x-res": f"{across:.6g}", "y-res": f"{down:.6g}"}
    image.attrib |= {"colorspacename": color_spaces[picture.pixels.dtype.name], "profile": profile}
    entries = SubElement(image, "layers")
    for layer in layers:
        layer.describe(entries)
    notes = SubElement(image, "Annotations")
    SubElement(notes, "Annotation", {"type": "harmonize", "description": "Harmonize"})
    return _with_type(document, "krita", "2.0")


def _about(title: str) -> bytes:
    document = Element("document-info", {"xmlns": f"{namespace}/document-info"})
    SubElement(SubElement(document, "about"), "title").text = title
    return _with_type(document, "document-info", "1.1")


def _with_type(document: Element, name: str, version: str) -> bytes:
    """XML with the document type, without which Krita calls the file corrupt."""
    public = f"-//KDE//DTD {name} {version}//EN"
    doctype = f'<!DOCTYPE {document.tag} PUBLIC "{public}" "{namespace}/{name}-{version}.dtd">\n'
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + doctype.encode() + tostring(document, encoding="utf-8")


def _write_layer(archive: ZipFile, layer: Layer, profile: Profile) -> None:
    if layer.filter is not None:
        archive.writestr(f"{folder}/layers/{layer.file}.filterconfig", layer.filter.to_xml())
    for name, pixels in layer.tiles():
        member = f"{folder}/layers/{name}"
        with archive.open(member, "w", force_zip64=pixels.largest_bytes > zip64_limit) as stream:
            pixels.write(stream)
        archive.writestr(f"{member}.defaultpixel", pixels.outside.tobytes())
    if layer.type == "paintlayer":
        archive.writestr(f"{folder}/layers/{layer.file}.icc", profile.icc)


def _write_flat_copies(archive: ZipFile, picture: LayeredPicture) -> None:
    """The rendered picture as 8-bit PNG: for programs that cannot read layers, and small for file browsers."""
    pixels = np.empty(picture.result.shape, np.uint8)
    for top in range(0, len(pixels), edge):
        pixels[top : top + edge] = as_depth(picture.result[top : top + edge], np.uint8)
    flat = Image.fromarray(pixels)
    small = flat.copy()
    small.thumbnail((preview_edge, preview_edge))
    for name, image in (("preview.png", small), ("mergedimage.png", flat)):
        entry = ZipInfo(name)  # stored: a PNG is already compressed
        with archive.open(entry, "w", force_zip64=True) as stream:
            image.save(stream, "PNG", compress_level=1, icc_profile=picture.icc, dpi=picture.dpi)
