# SPDX-License-Identifier: GPL-3.0-or-later
"""The foreground: a layer with its own alpha, or the selected part of a flat one."""

from dataclasses import dataclass
from typing import Any

from . import record
from .qt import i18n
from .refusal import Refusal
from .space import Space

masks = ("transparencymask", "filtermask", "transformmask", "selectionmask", "colorizemask")
without_pixels = ("filterlayer",)


@dataclass(frozen=True, eq=False)
class Foreground:
    """layer: the artist's; record: of the group that harmonizes it already.

    selection: bytes over the canvas, 255 = selected; None where nothing is.
    """

    document: Any
    layer: Any
    space: Space
    record: record.Record | None
    selection: bytes | None

    @classmethod
    def find(cls, document, layer=None):
        """The foreground that a layer of the document stands for, by default its active one; raises Refusal."""
        if document is None:
            raise Refusal(i18n("No picture is open."), code="no_document")
        space = Space.of(document)
        layer = layer or document.activeNode()
        if layer is None:
            raise Refusal(i18n("No layer is active."), i18n("Click the pasted layer in the Layers docker."), "no_layer")
        layer, known = resolved(document, layer)
        refuse_unusable(layer, known)
        chosen = document.selection()
        selection = None if chosen is None else bytes(chosen.pixelData(0, 0, document.width(), document.height()))
        if selection is not None and not any(selection):
            selection = None
        return cls(document, layer, space, known, selection)

    @property
    def group(self):
        """The group that harmonizes it already."""
        return record.node(self.document, self.record.group) if self.record else None


def resolved(document, layer):
    """The artist's layer that is meant, and the record of its group: our group and what is in it mean its source."""
    records = [entry for entry in record.read(document) if record.node(document, entry.group)]
    groups = {entry.group: entry for entry in records}
    above = layer
    while above is not None:
        known = groups.get(record.name_of(above))
        if known:
            source = record.node(document, known.source)
            if source is None:
                raise Refusal(
                    i18n("The layer that “{0}” harmonized is gone.").format(above.name()),
                    i18n("Delete the group, then choose another layer."),
                    "source_gone",
                )
            return source, known
        above = above.parentNode()
    if layer.type() in masks and layer.parentNode() is not None:
        layer = layer.parentNode()
    known = next((entry for entry in records if entry.source == record.name_of(layer)), None)
    return layer, known


def refuse_unusable(layer, known):
    """Raise Refusal where a layer cannot be cloned into a group."""
    name, click = layer.name(), i18n("Click the pasted layer in the Layers docker.")
    if layer.parentNode() is None:
        raise Refusal(i18n("The whole picture is active."), click, "no_layer")
    if layer.type() in without_pixels:
        raise Refusal(i18n("“{0}” is a filter layer: it has no picture of its own.").format(name), click, "no_pixels")
    if layer.type() == "grouplayer" and typed(layer).passThroughMode():
        raise Refusal(
            i18n("The group “{0}” is in pass-through mode, so it has no picture of its own.").format(name),
            i18n("Switch pass-through off in the Layers docker, or choose a layer in the group."),
            "pass_through",
        )
    above = layer.parentNode() if known else layer
    while above.parentNode() is not None:
        if not above.visible():
            raise Refusal(i18n("“{0}” is hidden.").format(above.name()), i18n("Show it first, then harmonize."), "hidden")
        above = above.parentNode()


def typed(layer):
    """The layer as an object of its own class: Krita gives a plain Node in some places."""
    return next(sibling for sibling in layer.parentNode().childNodes() if sibling == layer)
