# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be chosen: what to match, the model, how many points the curves have, and where the engine runs."""

from . import engine, references, settings
from .qt import QCheckBox, QComboBox, QFormLayout, QSizePolicy, QWidget, i18n, pyqtSignal


class Choices(QWidget):
    """Keeps the choices in Krita's settings; `chosen` tells of a new one."""

    chosen = pyqtSignal()

    def __init__(self, parent=None):
        super().__init__(parent)
        self.reference = combo("reference", i18n("What to match the layer to"))
        self.model = combo("model", i18n("The model that looks at the picture"))
        self.engine = combo(
            "engine", i18n("Where the engine runs: a server of its own, or inside Krita if it is installed there")
        )
        self.exact = QCheckBox(i18n("Exact curves (256 points)"))
        self.exact.setAccessibleName(self.exact.text())
        self.exact.setToolTip(i18n("Follow the model's curves exactly; with fewer points they are easy to edit"))
        self.exact.setChecked(settings.get("exact") == "true")
        self.exact.toggled.connect(lambda on: settings.put("exact", on))
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, made in ((i18n("Match"), self.reference), (i18n("Model"), self.model), (i18n("Engine"), self.engine)):
            layout.addRow(label, made)
            made.activated.connect(self.chosen)
        layout.addRow(self.exact)

    def refresh(self, document, layer):
        """Offer what there is now."""
        offer(self.reference, references.offered(document, layer))
        places = [(i18n("Automatic"), "auto"), (i18n("Server"), "server"), (i18n("Inside Krita"), "in-process")]
        offer(self.engine, places)
        models = [(model["name"], model["name"]) for model in engine.known["models"]]
        offer(self.model, [(i18n("Default"), ""), *models])


def combo(name, tip):
    """A list whose choice is kept as the setting `name`."""
    made = QComboBox()
    made.setObjectName(name)
    made.setToolTip(tip)
    made.setAccessibleName(tip)
    made.setMinimumContentsLength(6)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    made.activated.connect(lambda _: settings.put(name, made.currentData()))
    return made


def offer(made, entries):
    """Fill a list anew if its entries have changed; the setting is shown, or the first."""
    there = [(made.itemText(place), made.itemData(place)) for place in range(made.count())]
    if there != entries:
        made.clear()
        for text, value in entries:
            made.addItem(text, value)
    made.setCurrentIndex(max(0, made.findData(settings.get(made.objectName()))))
