# SPDX-License-Identifier: GPL-3.0-or-later
"""What is going on, for all windows: the layers that wait, the request that runs, the last result."""

from collections import deque
from os.path import basename

from krita import Krita

from . import edits, muting, record, references, settings, setup
from .foreground import resolved
from .job import Job
from .qt import QObject, QTimer, i18n, pyqtSignal
from .refusal import Refusal, unexpected
from .task import Options, Task

leave_patience = 3000  # milliseconds
stroke_pause, stroke_patience = 200, 150  # milliseconds between tries, and how many: half a minute


class Harmonizer(QObject):
    """Does one thing at a time; `changed` tells that something is to be shown anew."""

    changed = pyqtSignal()

    def __init__(self):
        super().__init__()
        self.waiting, self.job, self.stage, self.fraction = deque(), None, "", 0.0
        self.sentence, self.hint, self.offer, self.log, self.code = "", "", "", None, ""
        self.options, self.told, self.is_looking = None, [], False
        self.muting = muting.Muting()
        self.muting.healed.connect(self.changed)

    @property
    def is_busy(self):
        """Whether a request is made or runs, an answer waits to be applied or a layer waits for its turn."""
        return self.job is not None or self.is_looking or bool(self.waiting)

    def situation(self):
        """The active document, the artist's layer that is meant there, the record of its group; None for each lacking."""
        document = Krita.instance().activeDocument()
        layer = document.activeNode() if document else None
        if layer is None:
            return document, None, None
        try:
            return document, *resolved(document, layer)
        except Refusal:
            return document, layer, None

    def start(self, **options):
        """Harmonize the selected layers of the active document, one after the other."""
        if self.is_busy:
            return
        document = Krita.instance().activeDocument()
        self.options = Options(**{**self.chosen(), **options})
        self.waiting, self.told = deque((document, layer) for layer in selected_layers(document)), []
        self.say("")
        self.next()

    def chosen(self):
        """The options as the artist has set them."""
        document, meant, known = self.situation()
        reference, layer = references.chosen(document, meant)
        strengths = [settings.number(name) for name in ("color_strength", "light_strength")]
        if known:
            strengths = [known.color_strength, known.light_strength]
        return {
            "model": settings.get("model") or None,
            "reference": reference,
            "reference_layer": layer,
            "color_strength": strengths[0],
            "light_strength": strengths[1],
            "exact": settings.get("exact") == "true",
        }

    def next(self):
        """Begin with the next layer that waits."""
        if not self.waiting:
            self.changed.emit()
            return
        document, layer = self.waiting.popleft()
        self.is_looking = True  # Krita may let events through meanwhile
        try:
            task = Task(document, layer, self.options)
        except Exception as error:
            self.is_looking = False
            self.refuse(error if isinstance(error, Refusal) else unexpected(error))
            return
        self.job = Job(task, self)
        self.job.progressed.connect(self.show_progress)
        self.job.ended.connect(self.finish)
        self.job.finished.connect(self.job.deleteLater)
        self.stage, self.fraction = i18n("Looking at the picture"), 0.0
        self.is_looking = False
        self.job.start()
        self.changed.emit()

    def cancel(self):
        """Give up the request that runs, and the layers that wait."""
        self.waiting.clear()
        if self.job is not None:
            self.job.cancel()

    def leave(self):
        """Krita is closing: no thread may outlive it."""
        job = self.job
        self.cancel()
        if job is not None:
            job.wait(leave_patience)

    def show_progress(self, stage, fraction):
        """What the engine is doing."""
        self.stage, self.fraction = i18n(stage[:1].upper() + stage[1:]), fraction
        self.changed.emit()

    def finish(self, answer, reason, tries=0):
        """The engine has answered or not."""
        job = self.job
        if job is None:
            return
        if reason is None and job.cancellation.cancelled:
            reason = Refusal(i18n("Cancelled."), code="cancelled")
        document = job.task.foreground.document
        if reason is None and tries < stroke_patience and is_open(document) and not is_at_rest(document):
            self.stage, self.fraction = i18n("Waiting for your stroke"), 0.95
            self.changed.emit()
            QTimer.singleShot(stroke_pause, lambda: self.finish(answer, None, tries + 1))
            return
        if reason is None:
            try:
                outcome = job.task.apply(answer)
            except Exception as error:
                reason = error if isinstance(error, Refusal) else unexpected(error)
        self.job = None
        if reason is not None:
            self.refuse(reason)
            return
        sentence = outcome.sentence
        if document != Krita.instance().activeDocument():
            sentence += " " + i18n("(in “{0}”)").format(document.name() or basename(document.fileName()))
        self.say(sentence, offer="anyway" if outcome.record is None else offer_of(job.task))
        self.muting.watch(document)
        self.next()

    def refuse(self, reason):
        """Tell why nothing came of it; the layers that wait get their turn."""
        self.job = None
        code = "engine_missing" if setup.helps(reason.code, reason.hint) else reason.code
        self.say(reason.message, setup.hint_for(reason), log=reason.log, code=code)
        self.next()

    def say(self, sentence, hint="", offer="", log=None, code=""):
        """Set the status line; of several layers it tells all. code: of the Refusal that it tells."""
        told = " ".join(self.told)
        self.sentence, self.hint, self.offer, self.log = f"{told} {sentence}".strip(), hint, offer, log
        self.code = code
        self.told = [*self.told, sentence] if self.is_busy and sentence else []
        self.changed.emit()

    def strengthen(self, color_strength, light_strength):
        """Let the sliders act on the group of the active layer, and on the next one."""
        settings.put("color_strength", color_strength)
        settings.put("light_strength", light_strength)
        document, _, known = self.situation()
        if known is not None:
            edits.strengthen(document, known, color_strength, light_strength)
            record.keep(document, known)

    def show(self, harmonized):
        """Show the active layer's group after, or the picture before."""
        document, _, known = self.situation()
        if known is not None:
            edits.show(document, known, harmonized)
            self.say("" if harmonized else i18n("Before: the layers are switched off."))

    def remove(self):
        """Remove the group of the active layer."""
        document, layer, known = self.situation()
        if known is None:
            self.say(i18n("The active layer is not harmonized."))
            return
        edits.remove(document, known)
        self.muting.watch(document)
        self.say(i18n("Removed. “{0}” shows as before.").format(layer.name()))


def selected_layers(document):
    """The layers that are selected in the Layers docker, each once, whether by itself or by its group."""
    window = Krita.instance().activeWindow()
    view = window.activeView() if window else None
    chosen = view.selectedNodes() if view is not None and document is not None else []
    if len(chosen) < 2:
        return [document.activeNode() if document is not None else None]
    once = {}
    for layer in chosen:
        try:
            meant, _ = resolved(document, layer)
        except Refusal:
            meant = layer
        once.setdefault(record.name_of(meant), layer)
    return list(once.values())


def is_open(document):
    """Whether the document has not been closed."""
    return document in Krita.instance().documents()


def is_at_rest(document):
    """Whether no stroke is being painted."""
    if not document.tryBarrierLock():
        return False
    document.unlock()
    return True


def offer_of(task):
    """What the status line offers besides."""
    return "convert" if task.foreground.space.is_linear else ""


shared = []


def the_harmonizer():
    """The one there is."""
    if not shared:
        shared.append(Harmonizer())
    return shared[0]
