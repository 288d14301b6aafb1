# SPDX-License-Identifier: GPL-3.0-or-later
"""Harmonize in Krita's menus, with a shortcut of the artist's choice; works without the docker."""

from krita import Extension, Krita

from .harmonizer import the_harmonizer
from .qt import QIcon, i18n

message_time, message_priority = 3000, 1


class HarmonizeExtension(Extension):
    """Tools > Scripts > Harmonize."""

    def setup(self):
        """Krita wants it, there is nothing to do."""

    def createActions(self, window):
        """Add the action to a new window."""
        action = window.createAction("harmonize_layer", i18n("Harmonize Layer"), "tools/scripts")
        action.triggered.connect(lambda _: the_harmonizer().start())
        if not hasattr(self, "told"):
            self.told = ""
            the_harmonizer().changed.connect(self.tell)
            notifier = Krita.instance().notifier()
            notifier.setActive(True)
            notifier.applicationClosing.connect(the_harmonizer().leave)

    def tell(self):
        """Where no docker is shown, say over the canvas what happened."""
        harmonizer, window = the_harmonizer(), Krita.instance().activeWindow()
        sentence = f"{harmonizer.sentence} {harmonizer.hint}".strip()
        if harmonizer.is_busy or sentence == self.told:
            return
        self.told = sentence
        shown = any(docker.objectName() == "harmonize" and docker.isVisible() for docker in Krita.instance().dockers())
        view = window.activeView() if window else None
        if sentence and not shown and view is not None:
            view.showFloatingMessage(sentence, QIcon(), message_time, message_priority)
