# SPDX-License-Identifier: GPL-3.0-or-later
"""The Harmonize docker."""

from krita import DockWidget

from .panel import Panel
from .qt import QFrame, QScrollArea, Qt, i18n


class HarmonizeDocker(DockWidget):
    """The panel in a docker, with a scroll bar where the docker is low."""

    def __init__(self):
        super().__init__()
        self.setWindowTitle(i18n("Harmonize"))
        self.panel = Panel()
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidgetResizable(True)
        area.setWidget(self.panel)
        self.setWidget(area)

    def canvasChanged(self, canvas):
        """Krita shows another picture."""
        self.panel.refresh()
