# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting up the engine from the docker, for an artist who has nothing but this plug-in: one button, progress, cancel."""

import os
import sys
from pathlib import Path

from .engine_client import clean_environment, data_folders
from .engine_setup import EngineSetup, find_archive, is_offered
from .qt import QHBoxLayout, QObject, QProgressBar, QPushButton, QWidget, i18n, pyqtSignal

here = Path(__file__).resolve().parent
shared = []


class Setup(QObject):
    """The set-up that runs, for all dockers; `changed` tells that something is to be shown anew."""

    changed = pyqtSignal()
    heard = pyqtSignal(str, object)
    ended = pyqtSignal(object)

    def __init__(self):
        super().__init__()
        self.running, self.share = None, None
        self.heard.connect(self.show)
        self.ended.connect(self.finish)

    def start(self):
        """Run the installer."""
        archive = find_archive(here, data_folders(os.environ, sys.platform))
        if self.running is None and archive is not None:
            self.running = EngineSetup(archive, clean_environment(os.environ), self.heard.emit, self.ended.emit)
            self.running.start()
            self.show(i18n("Starting"), None)

    def show(self, sentence, share):
        """What the installer is doing."""
        self.share = share
        told = i18n("Setting up the engine: {0}.").format(sentence.rstrip("."))
        harmonizer().say(told, i18n("You can go on painting."))
        self.changed.emit()

    def finish(self, failure):
        """It has ended: tell the artist in the status line."""
        self.running = None
        if failure is None:
            harmonizer().say(i18n("The engine is ready."), i18n("Press Harmonize."))
        else:
            harmonizer().say(failure.message, failure.hint, log=failure.log, code="engine_missing")
        self.changed.emit()


class SetupRow(QWidget):
    """The button; while the installer runs, how far it is and a button to cancel it."""

    def __init__(self, harmonizer):
        super().__init__()
        self.harmonizer, self.setup = harmonizer, the_setup()
        self.start, self.bar = QPushButton(i18n("Set up the engine")), QProgressBar()
        self.cancel = QPushButton(i18n("Cancel"))
        self.start.setToolTip(i18n("Download the engine and set it up for you alone; no administrator is needed"))
        self.start.setAccessibleDescription(self.start.toolTip())
        self.start.clicked.connect(lambda _: self.setup.start())
        self.bar.setAccessibleName(i18n("Progress of setting up the engine"))
        self.cancel.setAccessibleName(i18n("Cancel setting up the engine"))
        self.cancel.clicked.connect(lambda _: self.setup.running and self.setup.running.cancel())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget, share in ((self.start, 1), (self.bar, 1), (self.cancel, 0)):
            layout.addWidget(widget, share)
        self.setup.changed.connect(self.refresh)
        self.refresh()

    def refresh(self):
        """Show what is."""
        runs = self.setup.running is not None
        self.start.setVisible(not runs)
        self.bar.setVisible(runs)
        self.cancel.setVisible(runs)
        self.bar.setRange(0, 0 if self.setup.share is None else 100)
        self.bar.setValue(round(100 * (self.setup.share or 0)))
        self.setVisible(runs or (not self.harmonizer.is_busy and helps(self.harmonizer.code)))


def helps(code, hint=""):
    """Whether an error of the engine is one that the button mends."""
    return is_offered(code, hint) and find_archive(here, data_folders(os.environ, sys.platform)) is not None


def hint_for(reason):
    """What to do about a Refusal: the button, where it helps."""
    if helps(reason.code, reason.hint):
        return i18n("Press “Set up the engine” in the Harmonize docker. It downloads about 50 MB, once.")
    return reason.hint


def harmonizer():
    """The one there is, whose module needs this one."""
    from .harmonizer import the_harmonizer

    return the_harmonizer()


def the_setup():
    """The one there is."""
    if not shared:
        shared.append(Setup())
    return shared[0]
