# SPDX-License-Identifier: GPL-3.0-or-later
"""The group of native layers: a live clone of the artist's layer, and above it tone curves, saturation and light.

It is built in a document without a window and added as a whole, which is one undo step. A foreground with an alpha of its
own is shown by the clone instead of the layer, whose opacity is therefore 0: a hidden layer could not be painted on.
"""

import os
import tempfile
import zlib
from dataclasses import dataclass, field
from typing import Any

from krita import Krita

from . import light, parts, record, seed
from .qt import QByteArray, i18n
from .record import Part, Record


@dataclass(frozen=True)
class Wish:
    """What to build: the engine's harmonization (a harmonize/1 document) with points for Krita, and how strongly."""

    harmonization: dict
    points: list | None = None
    color_strength: float = 1.0
    light_strength: float = 1.0
    exact: bool = False
    mask: Any = field(default=None, repr=False)  # bytes over the canvas; None: the layer's own alpha


def add(foreground, wish):
    """Add the group above the foreground's layer; returns its record. The document is to be refreshed then."""
    document, layer = foreground.document, foreground.layer
    built = parts.of(wish, foreground.space)
    scratch = opened(i18n("Harmonize: {0}").format(layer.name()), built, foreground.space, wish.mask is not None)
    try:
        group = scratch.topLevelNodes()[0]
        fill(document, group, built, wish, foreground.space)
        put_clone(document, group, layer)
        group.setOpacity(layer.opacity())
        group.setBlendingMode(layer.blendingMode())
        group.setInheritAlpha(layer.inheritAlpha())
        loose = group.clone()
    finally:
        scratch.close()
    parent, opacity = layer.parentNode(), layer.opacity()
    if wish.mask is None:
        layer.setOpacity(0)
    parent.addChildNode(loose, layer)
    siblings = parent.childNodes()  # what was added has no image until it is fetched anew
    added = siblings[siblings.index(layer) + 1]
    known = Record(record.name_of(added), record.name_of(layer), wish.mask is not None, wish.harmonization)
    known.opacity, known.canvas = opacity, record.canvas_of(document)
    known.color_strength, known.light_strength, known.exact = wish.color_strength, wish.light_strength, wish.exact
    known.parts = noted(added, built)
    record.keep(document, known)
    return known


def opened(name, built, space, masked):
    """A document without a window that holds the group."""
    krita, (handle, path) = Krita.instance(), tempfile.mkstemp(suffix=".kra")
    os.close(handle)
    was_batch = krita.batchmode()
    krita.setBatchmode(True)  # else Krita complains that the grey layers bring no profile file: they need none
    try:
        seed.write(path, name, built, space.depth, space.profile, masked)
        scratch = krita.openDocument(path)
    finally:
        krita.setBatchmode(was_batch)
        os.remove(path)
    if (scratch.colorDepth(), scratch.colorProfile()) != (space.depth, space.profile):
        scratch.setColorSpace("RGBA", space.depth, space.profile)
        scratch.waitForDone()
    return scratch


def put_clone(document, group, layer):
    """Put a live clone of the layer at the bottom of the group."""
    anchor = group.childNodes()[0]
    clone = document.createCloneLayer(i18n("{0} (clone)").format(layer.name()), layer)
    group.addChildNode(clone, anchor)
    anchor.remove()


def fill(document, group, built, wish, space):
    """Give the light layers and the mask of a fresh group their pixels."""
    width, height = document.width(), document.height()
    rows = parts.light_rows(wish.harmonization)
    for child, leaf in zip(group.childNodes()[1:], built, strict=False):  # a mask follows
        if leaf.role in (light.darken, light.brighten, light.both):
            grey = light.pixels(rows, leaf.role, width, height, space.depth, space.is_linear)
            child.setPixelData(QByteArray(grey), 0, 0, width, height)
    if wish.mask is not None:
        group.childNodes()[-1].setPixelData(QByteArray(wish.mask), 0, 0, width, height)


def noted(group, built):
    """The parts of a group as they are to be remembered."""
    children = [child for child in group.childNodes() if child.type() in ("filterlayer", "paintlayer")]
    pairs = zip(children, built, strict=True)
    return [Part(leaf.role, record.name_of(node), leaf.strength, state(node)) for node, leaf in pairs]


def state(layer):
    """What tells whether the artist has edited a layer: a filter's settings, or the checksum of what is painted."""
    if layer.type() == "filterlayer":
        return {key: str(value) for key, value in layer.filter().configuration().properties().items()}
    bounds = layer.bounds()
    content = layer.pixelData(bounds.x(), bounds.y(), bounds.width(), bounds.height())
    return {"checksum": str(zlib.crc32(content))}
