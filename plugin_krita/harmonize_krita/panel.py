# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything in the docker: buttons, strengths, what was found, choices, the state of the engine."""

from krita import Krita

from . import edits, engine, parts, record, settings
from .choices import Choices
from .harmonizer import the_harmonizer
from .plots import CurvesPlot, LightPlot, ScorePlot
from .qt import (
    QDesktopServices,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    Qt,
    QTimer,
    QUrl,
    QVBoxLayout,
    QWidget,
    i18n,
)
from .setup import SetupRow
from .strength import Strength

poll = 400  # milliseconds: Krita tells nobody that another layer became active


class Panel(QWidget):
    """Shows the state of the one Harmonizer, and what is known of the active layer."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.harmonizer, self.seen, self.told_of = the_harmonizer(), None, None
        self.make_buttons()
        self.make_progress()
        self.color, self.light = Strength(i18n("Colour"), "color_strength"), Strength(i18n("Light"), "light_strength")
        self.curves_plot, self.light_plot, self.score = CurvesPlot(), LightPlot(), ScorePlot()
        self.choices = Choices()
        self.setup = SetupRow(self.harmonizer)
        self.engine = QLabel()
        self.arrange()
        for slider in (self.color, self.light):
            slider.moved.connect(self.strengthen)
        self.harmonizer.changed.connect(self.refresh)
        self.choices.chosen.connect(self.refresh)
        self.timer = QTimer(self)
        self.timer.timeout.connect(self.look)
        self.refresh()

    def make_buttons(self):
        """The first two rows."""
        self.start = QPushButton()
        self.start.clicked.connect(self.harmonize)
        self.before = button(i18n("Before"), i18n("Show the picture as it was before"), self.show_before)
        self.before.setCheckable(True)
        self.edit = button(i18n("Curves…"), i18n("Open the tone curves in Krita's own dialog"), self.edit_curves)
        self.remove = button(i18n("Remove"), i18n("Remove the group; your layer shows as before"), self.harmonizer.remove)

    def make_progress(self):
        """What shows while the engine works, and the status line."""
        self.bar, self.cancel = QProgressBar(), QPushButton(i18n("Cancel"))
        self.bar.setRange(0, 100)
        self.bar.setAccessibleName(i18n("Progress"))
        self.cancel.clicked.connect(self.harmonizer.cancel)
        self.cancel.setAccessibleName(i18n("Cancel the request to the engine"))
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.RichText)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.status.linkActivated.connect(self.follow)
        self.status.setAccessibleName(i18n("Status"))
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.status.setMinimumHeight(2 * self.status.fontMetrics().lineSpacing())  # nothing jumps for a longer sentence

    def arrange(self):
        """From top to bottom."""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(6)
        layout.addWidget(self.start)
        self.tools = row(self.before, self.edit, self.remove)
        layout.addWidget(self.tools)
        self.progress = row(self.bar, self.cancel)
        layout.addWidget(self.progress)
        layout.addWidget(self.status)
        layout.addWidget(self.setup)
        for widget in (self.color, self.light, row(self.curves_plot, self.light_plot), self.score, self.choices):
            layout.addWidget(widget)
        layout.addStretch(1)
        self.engine.setWordWrap(True)
        self.engine.setTextFormat(Qt.TextFormat.RichText)
        self.engine.linkActivated.connect(self.follow)
        self.engine.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)  # by keyboard, too
        self.engine.setAccessibleName(i18n("State of the engine"))
        font = self.engine.font()
        font.setPointSizeF(0.9 * font.pointSizeF())
        self.engine.setFont(font)
        layout.addWidget(self.engine)

    def showEvent(self, event):
        """Watch as long as it is seen."""
        self.timer.start(poll)
        self.refresh()
        super().showEvent(event)

    def hideEvent(self, event):
        """Nobody looks."""
        self.timer.stop()
        super().hideEvent(event)

    def look(self):
        """Refresh if another layer is active or its group has been changed."""
        document, layer, known = self.harmonizer.situation()
        meant = layer and record.name_of(layer)
        seen = (meant, layer and layer.name(), known and self.curves(document, known))
        if self.harmonizer.is_busy:
            return
        sentence = self.harmonizer.sentence
        if self.told_of is None or self.told_of[1] != sentence:
            self.told_of = (meant, sentence)
        elif sentence and self.told_of[0] != meant:
            self.harmonizer.say("")  # it was about another layer
        if seen != self.seen:
            self.seen = seen
            self.refresh()
            if document is not None:
                self.harmonizer.muting.watch(document)

    def refresh(self):
        """Show what is."""
        document, layer, known = self.harmonizer.situation()
        busy, is_harmonized = self.harmonizer.is_busy, known is not None
        self.start.setText(i18n("Update") if is_harmonized else i18n("Harmonize"))
        self.start.setEnabled(layer is not None and not busy and self.setup.setup.running is None)
        name = layer.name() if layer is not None else ""
        self.start.setToolTip(i18n("Make “{0}” belong to the picture").format(name) if name else "")
        self.start.setAccessibleName(self.start.text())
        for widget in (self.before, self.edit, self.remove):
            widget.setEnabled(is_harmonized and not busy)
        self.before.setChecked(is_harmonized and not edits.is_shown(document, known))
        self.progress.setVisible(busy)
        self.tools.setVisible(not busy)
        self.bar.setValue(round(100 * self.harmonizer.fraction))
        self.bar.setFormat(self.harmonizer.stage or "%p%")
        self.choices.refresh(document, layer)
        self.setup.refresh()
        self.show_status(layer, known)
        self.show_result(document, known)
        self.show_engine()

    def show_status(self, layer, known):
        """One sentence: what happened, else what the button would do."""
        harmonizer = self.harmonizer
        text = escaped(f"{harmonizer.sentence} {harmonizer.hint}".strip())
        links = {"anyway": i18n("Add the layers anyway"), "convert": i18n("Convert the colours…")}
        if harmonizer.offer:
            text += f" <a href='{harmonizer.offer}'>{escaped(links[harmonizer.offer])}</a>"
        if harmonizer.log:
            text += f" <a href='log'>{escaped(i18n('Open log'))}</a>"
        if harmonizer.is_busy:
            text = escaped(f"“{harmonizer.job.task.name}”") if harmonizer.job else ""
        elif not text and layer is None:
            text = escaped(i18n("Open a picture and click the pasted layer."))
        elif not text and known is None:
            target = self.choices.reference.currentText().strip()
            text = escaped(i18n("“{0}” will be matched to: {1}.").format(layer.name(), target[:1].lower() + target[1:]))
        elif not text:
            text = escaped(i18n("“{0}” is harmonized.").format(layer.name()))
        self.status.setText(text)

    def show_result(self, document, known):
        """Strengths, curves, light and score of the active layer's group."""
        for slider, strength in ((self.color, "color_strength"), (self.light, "light_strength")):
            slider.set(getattr(known, strength) if known else settings.number(strength))
        if known is None:
            for plot in (self.curves_plot, self.light_plot, self.score):
                plot.set(None)
            return
        self.curves_plot.set(self.curves(document, known) or None)
        rows = parts.light_rows(known.harmonization)
        self.light_plot.set((rows, document.width() / document.height()) if rows else None)
        confidence = known.harmonization.get("confidence")
        self.score.set((confidence["before"], confidence["after"]) if confidence else None)

    def curves(self, document, known):
        """The settings of the group's tone curves as they are now, the artist's edits included."""
        layers = [layer for part, layer in edits.live(document, known) if part.role == parts.tones_role]
        found = [layer.filter().configuration().properties() for layer in layers]
        return [{c: str(properties[f"curve{c}"]) for c in (1, 2, 3)} for properties in found if "curve3" in properties]

    def show_engine(self):
        """Which engine answers, and its log."""
        described = engine.description()
        state = ", ".join(word.split(" ")[0] for word in described.split(", ")) or i18n("starts when it is needed")
        self.engine.setToolTip(described)
        log = f" · <a href='log'>{escaped(i18n('Open log'))}</a>" if engine.known["log"] else ""
        self.engine.setText(escaped(i18n("Engine: {0}").format(state)) + log)

    def harmonize(self):
        """The button: harmonize or update; asks before it overwrites what the artist has changed."""
        document, _, known = self.harmonizer.situation()
        keep = True
        changed = edits.edited(document, known) if known else []
        if changed:
            answer = self.ask_about(changed)
            if answer is None:
                return
            keep = answer
        self.harmonizer.start(keep_edits=keep)

    def ask_about(self, changed):
        """Whether to keep the artist's edits; None to do nothing."""
        box = QMessageBox(Krita.instance().activeWindow().qwindow())
        box.setObjectName("harmonize_edits")
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(i18n("Harmonize"))
        box.setText(i18n("You have changed these layers by hand: {0}.").format(", ".join(changed)))
        box.setInformativeText(i18n("Update can leave them as they are, or write the new result into them."))
        keep = box.addButton(i18n("Keep my changes"), QMessageBox.ButtonRole.AcceptRole)
        replace = box.addButton(i18n("Replace them"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(keep)
        box.exec() if hasattr(box, "exec") else box.exec_()
        return {keep: True, replace: False}.get(box.clickedButton())

    def show_before(self):
        """Before and after."""
        self.harmonizer.show(not self.before.isChecked())

    def strengthen(self):
        """A slider has moved."""
        self.harmonizer.strengthen(self.color.value, self.light.value)

    def edit_curves(self):
        """Krita's own dialog for the tone curves; the layer has to be active first, which takes Krita a moment."""
        document, _, known = self.harmonizer.situation()
        layers = [layer for part, layer in edits.live(document, known) if part.role == parts.tones_role]
        if layers:
            document.setActiveNode(layers[-1])
            QTimer.singleShot(200, lambda: Krita.instance().action("layer_properties").trigger())

    def follow(self, link):
        """A link of the status line."""
        if link == "anyway":
            self.harmonizer.start(anyway=True)
        elif link == "convert":
            Krita.instance().action("imagecolorspaceconversion").trigger()
        elif link == "log" and (path := self.harmonizer.log or engine.known["log"]):
            QDesktopServices.openUrl(QUrl.fromLocalFile(path))


def button(text, tip, act):
    """A small button of the second row."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAccessibleName(text)
    made.setAccessibleDescription(tip)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    made.setMinimumWidth(10)
    made.clicked.connect(lambda _: act())
    return made


def row(*widgets):
    """Widgets side by side."""
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for widget in widgets:
        layout.addWidget(widget)
    return box


def escaped(text):
    """Plain text for a label that shows links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
