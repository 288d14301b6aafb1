# SPDX-License-Identifier: GPL-3.0-or-later
"""A labelled slider from 0 to 100 percent."""

from .qt import QHBoxLayout, QLabel, QSlider, Qt, QTimer, QWidget, i18n, pyqtSignal

pause = 30  # milliseconds in which moves are taken together


class Strength(QWidget):
    """`moved` comes while the artist drags, not too often; `value` is 0..1."""

    moved = pyqtSignal()

    def __init__(self, label, name, parent=None):
        super().__init__(parent)
        self.setObjectName(name)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setPageStep(10)
        self.slider.setAccessibleName(i18n("{0} strength in percent").format(label))
        self.slider.setToolTip(self.slider.accessibleName())
        text, self.number = QLabel(label), QLabel()
        text.setBuddy(self.slider)
        text.setMinimumWidth(text.fontMetrics().horizontalAdvance(i18n("Colour")) + 4)
        self.number.setMinimumWidth(self.number.fontMetrics().horizontalAdvance("100 %"))
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (text, self.slider, self.number):
            layout.addWidget(widget)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(pause)
        self.timer.timeout.connect(self.moved)
        self.slider.valueChanged.connect(self.change)

    @property
    def value(self):
        """0..1."""
        return self.slider.value() / 100

    def change(self, percent):
        """The slider has moved."""
        self.number.setText(f"{percent} %")
        if not self.timer.isActive():
            self.timer.start()

    def set(self, value):
        """Show a strength without telling anybody."""
        if self.slider.isSliderDown() or self.timer.isActive():
            return
        self.slider.blockSignals(True)
        self.slider.setValue(round(100 * value))
        self.slider.blockSignals(False)
        self.number.setText(f"{self.slider.value()} %")
