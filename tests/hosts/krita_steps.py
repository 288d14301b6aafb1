"""Loaded by Krita as a plug-in: drives its window by the test's script, in Krita's own loop between the steps.

The script has a generator `steps()`; what it yields is how many seconds to wait. `said` goes back to the test.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from krita import Extension, Krita

try:
    from PyQt5.QtCore import QByteArray, QTimer
except ImportError:
    from PyQt6.QtCore import QByteArray, QTimer

krita = Krita.instance()
share, bench = Path("/session/share"), Path("/session/bench")
said = {}


class Steps(Extension):
    """Starts with the first window."""

    begun = False

    def setup(self):
        pass

    def createActions(self, window):
        if not Steps.begun:
            Steps.begun = True
            QTimer.singleShot(800, self.begin)

    def begin(self):
        from harmonize_krita import engine

        engine.can_be_followed = lambda: False  # the engine is outside of this root, where processes have other numbers
        sys.excepthook = lambda *error: end(3, "".join(traceback.format_exception(*error)))  # else a dialog that waits
        names = dict(globals(), arguments=json.loads((bench / "arguments.json").read_text()))
        exec(compile((bench / "script.py").read_text(encoding="utf-8"), "script.py", "exec"), names)
        self.steps = names["steps"]()
        self.step()

    def step(self):
        try:
            pause = next(self.steps)
        except StopIteration:
            end(0, json.dumps(said))
        except BaseException:
            end(3, traceback.format_exc())
        QTimer.singleShot(int(1000 * pause), self.step)


def end(status, text):
    """Leave Krita as it stands."""
    (bench / ("trouble" if status else "result")).write_text(text, encoding="utf-8", errors="backslashreplace")
    os._exit(status)


def picture(name, width, height):
    """Open a picture with a pasted layer, both from files of the test; returns the document and the layer."""
    made = krita.createDocument(width, height, name, "RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc", 72.0)
    bottom = made.topLevelNodes()[0]
    bottom.setName("Background")
    bottom.setPixelData(QByteArray((share / "background").read_bytes()), 0, 0, width, height)
    layer = made.createNode("Pasted", "paintlayer")
    layer.setPixelData(QByteArray((share / "cutout").read_bytes()), 0, 0, width, height)
    made.rootNode().addChildNode(layer, bottom)
    made.refreshProjection()
    krita.activeWindow().addView(made)
    krita.activeWindow().qwindow().showMaximized()
    return made, layer


def docker():
    """The Harmonize docker's panel, shown."""
    (found,) = [one for one in krita.dockers() if one.objectName() == "harmonize"]
    found.setVisible(True)
    found.raise_()
    return found.panel


def answered(panel):
    """Wait for the engine: `yield from answered(panel)`."""
    for _ in range(400):
        if not panel.harmonizer.is_busy:
            break
        yield 0.05
    yield 0.6


def shown(made):
    """The picture as it is now."""
    made.waitForDone()
    return bytes(made.pixelData(0, 0, made.width(), made.height()))


def undo_step():
    """What Krita would undo."""
    return krita.action("edit_undo").text()


def slow(seconds):
    """Let the engine think for a while."""
    import time

    from harmonize_krita.task import Task

    ask = Task.ask

    def ask_slowly(task, cancellation=None, progress=None):
        late = time.monotonic() + seconds
        while time.monotonic() < late and not cancellation.cancelled:
            time.sleep(0.02)
        return ask(task, cancellation, progress)

    Task.ask = ask_slowly


krita.addExtension(Steps(krita))
