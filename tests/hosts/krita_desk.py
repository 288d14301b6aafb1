"""Imported inside Krita by the tests of the plug-in: an engine that answers as it is told, and documents to work on."""

import json
import sys
from pathlib import Path

from krita import Krita, Selection

sys.path.insert(0, "/session/share/plugin")
import harmonize_krita
from harmonize_krita import engine
from harmonize_krita.engine_client import Answer
from harmonize_krita.qt import QByteArray

krita = Krita.instance()
krita.setBatchmode(True)
share = Path("/session/share")
srgb, linear = "sRGB-elle-V2-srgbtrc.icc", "sRGB-elle-V2-g10.icc"
asked = []  # the proxies that were sent


class Told:
    """An engine that gives the answer in answer.json."""

    description = "told"

    def harmonize(self, proxy, **_):
        asked.append(proxy)
        told = json.loads((share / "answer.json").read_text(encoding="utf-8"))
        return Answer(told["harmonization"], told["points"], {}, "cpu")


engine.connected = lambda *_: Told()


def document(width, height, depth="U8", profile=srgb, background=b""):
    """A picture with the background's bytes as Krita has them in memory."""
    made = krita.createDocument(width, height, "test", "RGBA", depth, profile, 72.0)
    made.topLevelNodes()[0].setName("Background")
    paint(made, made.topLevelNodes()[0], background)
    return made


def paint(document_, layer, pixels, x=0, y=0, width=0, height=0):
    """Set a layer's pixels, over the whole canvas by default."""
    layer.setPixelData(QByteArray(pixels), x, y, width or document_.width(), height or document_.height())


def add(document_, kind="paintlayer", name="Pasted", parent=None, pixels=b""):
    """A layer on top."""
    layer = document_.createNode(name, kind)
    (parent or document_.rootNode()).addChildNode(layer, None)
    if pixels:
        paint(document_, layer, pixels)
    return layer


def select(document_, mask):
    """Select by bytes over the canvas."""
    selection = Selection()
    selection.setPixelData(QByteArray(mask), 0, 0, document_.width(), document_.height())
    document_.setSelection(selection)


def shown(document_):
    """The picture as it is now."""
    document_.refreshProjection()
    document_.waitForDone()
    return bytes(document_.pixelData(0, 0, document_.width(), document_.height()))


def tree(layer):
    """A layer and what is in it, by name, type, mode and opacity."""
    return [layer.name(), layer.type(), layer.blendingMode(), layer.opacity(), [tree(one) for one in layer.childNodes()]]


def sentence(act, *args, **options):
    """The code of the Refusal that something ends in, or what it says."""
    try:
        return act(*args, **options).sentence
    except harmonize_krita.Refusal as reason:
        return reason.code
