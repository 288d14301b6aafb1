# SPDX-License-Identifier: GPL-3.0-or-later
"""A layer that is shown by its group's clone has opacity 0. Undo, redo and the Delete key take the group away and bring it
back, but know nothing of the opacity: this keeps the two together, so that one undo step undoes all."""

from krita import Krita

from . import record
from .qt import QObject, QTimer, pyqtSignal

interval = 250  # milliseconds; Krita tells nobody of undo


class Muting(QObject):
    """Watches the active document from its first group on."""

    healed = pyqtSignal()

    def __init__(self):
        super().__init__()
        self.present = {}  # group -> whether it was there
        self.timer = QTimer(self)
        self.timer.setInterval(interval)
        self.timer.timeout.connect(self.check)

    def watch(self, document):
        """Note what was not known yet, and keep an eye on it."""
        for known in record.read(document):
            self.present.setdefault(known.group, record.node(document, known.group) is not None)
        if self.present and not self.timer.isActive():
            self.timer.start()

    def check(self):
        """Follow what undo or redo has done to the active document."""
        document = Krita.instance().activeDocument()
        if document is None:
            return
        records = record.read(document)
        there = {known.group: record.node(document, known.group) is not None for known in records}
        changed = False
        for known in records:
            is_there, was_there = there[known.group], self.present.get(known.group)
            if not known.is_flat and is_there != was_there and not (is_there and was_there is None):
                alone = not any(there[other.group] for other in records if other.source == known.source)
                changed |= follow(document, known, is_there, alone)
        self.present.update(there)
        if changed:
            document.refreshProjection()
            self.healed.emit()


def follow(document, known, is_there, alone):
    """Give a layer its opacity back when its last group is gone, take it when the group has come back."""
    source = record.node(document, known.source)
    if source is None:
        return False
    if is_there and source.opacity() > 0:
        known.opacity = source.opacity()
        record.keep(document, known)
        source.setOpacity(0)
        return True
    if alone and source.opacity() == 0 and known.opacity > 0:
        source.setOpacity(known.opacity)
        return True
    return False
