# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be chosen: what to match, the model, and how many points the curves have."""

from . import engine, proxy, record, settings
from .qt import QCheckBox, QComboBox, QFormLayout, QSizePolicy, QWidget, i18n


class Choices(QWidget):
    """Keeps the choices in Krita's settings."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.reference = combo("reference", i18n("What to match the layer to"))
        self.model = combo("model", i18n("The model that looks at the picture"))
        self.exact = QCheckBox(i18n("Exact curves (256 points)"))
        self.exact.setAccessibleName(self.exact.text())
        self.exact.setToolTip(i18n("Follow the model's curves exactly; with fewer points they are easy to edit"))
        self.exact.setChecked(settings.get("exact") == "true")
        self.exact.toggled.connect(lambda on: settings.put("exact", on))
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.addRow(i18n("Match"), self.reference)
        layout.addRow(i18n("Model"), self.model)
        layout.addRow(self.exact)

    def refresh(self, document, layer):
        """Offer what there is now."""
        references = [(i18n("What is beneath"), proxy.beneath), (i18n("The selection"), proxy.selection)]
        if document is not None:
            others = [other for other in document.topLevelNodes() if other != layer and is_picture(other)]
            references += [(i18n("Layer “{0}”").format(other.name()), record.name_of(other)) for other in others]
        offer(self.reference, references)
        models = [(model["name"], model["name"]) for model in engine.known["models"]]
        offer(self.model, [(i18n("Default"), ""), *models])


def is_picture(layer):
    """Whether a layer could be matched."""
    return layer.type() not in ("filterlayer", "selectionmask")


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
