# SPDX-License-Identifier: GPL-3.0-or-later
"""The group of native layers: a live clone of the artist's layer, and above it tone curves, saturation and light.

It is built in a document without a window and added as a whole, which is one undo step. A foreground with an alpha of its
own is shown by the clone instead of the layer, whose opacity is therefore 0: a hidden layer could not be painted on. Of
such a layer, a selected part is a group inside, which takes its alpha from a second clone beneath it.
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
    keeps_alpha: bool = False  # with a mask: only colours change in it, the layer's own alpha stays


def add(foreground, wish):
    """Add the group above the foreground's layer; returns its record. The document is to be refreshed then."""
    document, layer = foreground.document, foreground.layer
    built = parts.of(wish, foreground.space)
    inner = i18n("Selected part") if wish.keeps_alpha else ""
    scratch = opened(i18n("Harmonize: {0}").format(layer.name()), built, foreground.space, wish.mask is not None, inner)
    try:
        group = scratch.topLevelNodes()[0]
        written = fill(document, working(group, wish.keeps_alpha), built, wish, foreground.space)
        put_clone(document, group, layer)
        if wish.keeps_alpha:
            put_clone(document, working(group, True), layer)
        group.setOpacity(layer.opacity())
        group.setBlendingMode(layer.blendingMode())
        group.setInheritAlpha(layer.inheritAlpha())
        loose = group.clone()
    finally:
        scratch.close()
    parent, opacity = layer.parentNode(), layer.opacity()
    is_flat = wish.mask is not None and not wish.keeps_alpha
    if not is_flat:
        layer.setOpacity(0)
    parent.addChildNode(loose, layer)
    siblings = parent.childNodes()  # what was added has no image until it is fetched anew
    added = siblings[siblings.index(layer) + 1]
    known = Record(record.name_of(added), record.name_of(layer), is_flat, wish.harmonization)
    known.opacity, known.canvas, known.keeps_alpha = opacity, record.canvas_of(document), wish.keeps_alpha
    known.color_strength, known.light_strength, known.exact = wish.color_strength, wish.light_strength, wish.exact
    known.parts = noted(working(added, wish.keeps_alpha), built, written)
    record.keep(document, known)
    return known


def working(group, keeps_alpha):
    """The group that holds the adjustments and the mask: a part of a layer has one of its own, above a plain clone."""
    return group.childNodes()[1] if keeps_alpha else group


def opened(name, built, space, masked, inner=""):
    """A document without a window that holds the group."""
    krita, (handle, path) = Krita.instance(), tempfile.mkstemp(suffix=".kra")
    os.close(handle)
    was_batch = krita.batchmode()
    krita.setBatchmode(True)  # else Krita complains that the grey layers bring no profile file: they need none
    try:
        seed.write(path, name, built, space.depth, space.profile, i18n("Foreground") if masked else "", inner)
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
    """Give the light layers and the mask of a fresh group their pixels; returns the states of the former by role."""
    written = {}
    width, height = document.width(), document.height()
    rows = parts.light_rows(wish.harmonization)
    for child, leaf in zip(group.childNodes()[1:], built, strict=False):  # a mask follows
        if leaf.role in (light.darken, light.brighten, light.both):
            grey = light.pixels(rows, leaf.role, width, height, space.depth, space.is_linear)
            child.setPixelData(QByteArray(grey), 0, 0, width, height)
            written[leaf.role] = painted(grey)
    if wish.mask is not None:
        group.childNodes()[-1].setPixelData(QByteArray(wish.mask), 0, 0, width, height)
    return written


def noted(group, built, written):
    """The parts of a group as they are to be remembered; written: states that are known without reading them back."""
    children = [child for child in group.childNodes() if child.type() in ("filterlayer", "paintlayer")]
    return [
        Part(leaf.role, record.name_of(node), leaf.strength, written.get(leaf.role) or state(node))
        for node, leaf in zip(children, built, strict=True)
    ]


def state(layer):
    """What tells whether the artist has edited a layer: a filter's settings, or the checksum of what is painted."""
    if layer.type() == "filterlayer":
        return {key: str(value) for key, value in layer.filter().configuration().properties().items()}
    bounds = layer.bounds()
    return painted(layer.pixelData(bounds.x(), bounds.y(), bounds.width(), bounds.height()))


def painted(content):
    """The state of a paint layer, by its pixels."""
    return {"checksum": str(zlib.crc32(content))}
