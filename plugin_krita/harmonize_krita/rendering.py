# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the document without a window, to see it with layers hidden; it shares the pixels, so it costs next to nothing.

Nothing of the artist's is touched, not even for a moment.
"""

from . import planes, record
from .space import Space, pixel_bytes


class Rendering:
    """A context manager: `with Rendering(document) as rendering`."""

    def __init__(self, document):
        self.copy, self.space = document.clone(), Space.of(document)
        self.width, self.height = document.width(), document.height()
        self.copy.setBatchmode(True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.copy.close()

    def find(self, layer):
        """The copy of a layer of the document."""
        return record.node(self.copy, record.name_of(layer))

    def hide_above(self, layer, itself=False):
        """Hide all that lies above a layer, in its group and in the groups around it; itself: the layer too."""
        layer.setVisible(not itself)
        while layer.parentNode() is not None:
            for sibling in beside(layer, lambda place, own: place > own):
                sibling.setVisible(False)
            layer = layer.parentNode()

    def isolate(self, layer):
        """Show a layer alone, opaque and unmixed, so that the picture's alpha is the layer's own."""
        while layer.parentNode() is not None:
            for other in beside(layer, lambda place, own: place != own):
                other.setVisible(False)
            layer.setVisible(True)
            layer.setOpacity(255)
            layer.setBlendingMode("normal")
            layer.setInheritAlpha(False)
            layer = layer.parentNode()

    def image(self, size):
        """The picture as it shows now, shrunk: 8 bits, display-encoded, with alpha."""
        self.copy.refreshProjection()
        self.copy.waitForDone()
        step = min(self.width // (2 * size[0]), self.height // (2 * size[1]))
        if step > 1 and self.space.depth != "U8":
            pixels, width, height = self.thinned(step)
        else:
            pixels, width, height = bytes(self.copy.pixelData(0, 0, self.width, self.height)), self.width, self.height
        return planes.shrunk(self.space.display_bytes(pixels, width, height), width, height, size)

    def thinned(self, step):
        """Every step-th pixel of every step-th row, and their size: reading and converting all deep pixels is slow."""
        first, pixel = step // 2, pixel_bytes[self.space.depth]
        lines = range(first, self.height, step)
        rows = [planes.every(bytes(self.copy.pixelData(0, y, self.width, 1)), pixel, first, step) for y in lines]
        return b"".join(rows), len(rows[0]) // pixel, len(rows)


def beside(layer, wanted):
    """The layers beside a layer whose place fulfils `wanted(place, own)`; the lowest place is 0. Masks are none of them."""
    siblings = layer.parentNode().childNodes()
    own = siblings.index(layer)
    return [sibling for place, sibling in enumerate(siblings) if wanted(place, own) and not sibling.type().endswith("mask")]
