# SPDX-License-Identifier: GPL-3.0-or-later
"""What a layer may be matched to: what is beneath it, the selection, or another layer wherever it is in the tree."""

from . import record, settings
from .foreground import masks, without_pixels
from .proxy import beneath, chosen_layer, selection
from .qt import i18n

indent = "   "


def offered(document, layer):
    """The names and values of all references for a layer, as the Layers docker shows them: from the top, indented."""
    fixed = [(i18n("What is beneath"), beneath), (i18n("The selection"), selection)]
    if document is None:
        return fixed
    ours = {entry.group: entry.source for entry in record.read(document)}
    names = [
        (indent * deep + i18n("Layer “{0}”").format(one.name()), record.name_of(one))
        for one, deep in others(document.rootNode(), layer, ours)
    ]
    return fixed + names


def others(parent, layer, ours, deep=0):
    """The layers in a group that show something of their own, with their depth; ours: group -> source."""
    own = layer and record.name_of(layer)
    for child in reversed(parent.childNodes()):
        name = record.name_of(child)
        if child.type() in (*masks, *without_pixels) or own in (name, ours.get(name)):
            continue
        inside = [] if name in ours else list(others(child, layer, ours, deep + 1))
        if not is_around(child, layer):
            yield child, deep
        yield from inside


def is_around(group, layer):
    """Whether a layer is in a group, at any depth."""
    while layer is not None and layer.parentNode() is not None:
        layer = layer.parentNode()
        if layer == group:
            return True
    return False


def chosen(document, layer):
    """The reference that is set and its layer, if it is one; one that is not offered here counts as what is beneath."""
    wanted = settings.get("reference")
    if document is None or wanted not in [value for _, value in offered(document, layer)]:
        return beneath, None
    return (wanted, None) if wanted in (beneath, selection) else (chosen_layer, record.node(document, wanted))
