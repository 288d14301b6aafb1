# SPDX-License-Identifier: GPL-3.0-or-later
"""One harmonization from the layer to the layers: look (Krita's thread), ask (any thread), apply (Krita's thread)."""

from dataclasses import dataclass, field, replace
from typing import Any

from krita import Krita

from . import edits, engine, group, proxy, record, settings
from .engine_client import Cancelled, EngineError
from .foreground import Foreground
from .qt import i18n
from .record import Record
from .refusal import Refusal
from .space import Space


@dataclass(frozen=True)
class Options:
    """What may be chosen. model: by name, None for the engine's default; exact: curves with all 256 points.

    reference: "beneath", "selection" or "layer", which is `reference_layer`; anyway: add layers even where the engine
    advises to leave the foreground as it is; keep_edits: leave layers alone that the artist has changed.
    """

    model: str | None = None
    reference: str = proxy.beneath
    reference_layer: Any = None
    color_strength: float = 1.0
    light_strength: float = 1.0
    exact: bool = False
    anyway: bool = False
    keep_edits: bool = True


@dataclass(frozen=True)
class Outcome:
    """record: of the group, None where nothing was added; sentence: for the status line; harmonization: what was found."""

    record: Record | None
    sentence: str
    harmonization: dict
    kept: list = field(default_factory=list)
    updated: bool = False


class Task:
    """Look at a layer of a document; raises Refusal."""

    def __init__(self, document, layer=None, options=None):
        self.options, self.engine = options or Options(), settings.engine_choice()
        self.foreground = Foreground.find(document, layer)
        self.layer_id = record.name_of(self.foreground.layer)
        self.name = self.foreground.layer.name()
        self.size = (document.width(), document.height())
        self.look = proxy.look(self.foreground, self.options.reference, self.options.reference_layer)

    def ask(self, cancellation=None, progress=None):
        """Ask the engine, from any thread; returns its answer. Raises EngineError, Cancelled."""
        found = engine.connected(self.engine, cancellation, progress)
        return found.harmonize(
            self.look.proxy,
            model=self.options.model,
            points_for="krita",
            cancellation=cancellation,
            progress=progress,
        )

    def apply(self, answer):
        """Make or renew the native layers; returns an Outcome. Raises Refusal if the document is no longer as it was."""
        self.foreground = self.still_there()
        found, options = answer.harmonization, self.options
        if answer.leave and not options.anyway and self.foreground.record is None:
            return Outcome(None, why_left(answer).format(self.name), found)
        wish = group.Wish(
            found, answer.points, options.color_strength, options.light_strength, options.exact, *self.look.marks
        )
        return self.renewed(wish) if self.foreground.record else self.added(wish)

    def added(self, wish):
        """Add a group."""
        known = group.add(self.foreground, wish)
        self.foreground.document.refreshProjection()
        sentence = i18n("Harmonized “{0}”.").format(self.name)
        if self.foreground.space.is_linear:
            sentence += " " + i18n("The document is linear: close, not exact.")
        if self.foreground.layer.animated():
            sentence += " " + i18n("Of its frames, the one shown now was looked at.")
        return Outcome(known, sentence, wish.harmonization)

    def renewed(self, wish):
        """Update the group that is there, or replace it where it has other layers than the result needs."""
        foreground = self.foreground
        if not edits.fits(foreground, wish):
            edits.remove(foreground.document, foreground.record)
            return replace(self.added_anew(wish), sentence=i18n("Harmonized “{0}” anew.").format(self.name), updated=True)
        kept = edits.renew(foreground, wish, self.options.keep_edits)
        if not edits.is_shown(foreground.document, foreground.record):
            edits.show(foreground.document, foreground.record, True)
        sentence = i18n("Updated “{0}”.").format(self.name)
        if kept:
            sentence += " " + i18n("Kept as you edited it: {0}.").format(", ".join(kept))
        return Outcome(foreground.record, sentence, wish.harmonization, kept, True)

    def added_anew(self, wish):
        """Add a group in place of one that was removed."""
        self.foreground = replace(self.foreground, record=None)
        return self.added(wish)

    def still_there(self):
        """The foreground as it is now; raises Refusal where it is gone or has changed its shape."""
        document = self.foreground.document
        if document not in Krita.instance().documents():
            raise Refusal(i18n("The picture was closed meanwhile."), code="document_closed")
        layer = record.node(document, self.layer_id)
        if layer is None:
            raise Refusal(i18n("The layer “{0}” was deleted meanwhile.").format(self.name), code="layer_deleted")
        if (document.width(), document.height()) != self.size or Space.of(document) != self.foreground.space:
            raise Refusal(
                i18n("The picture changed its size or colours meanwhile."), i18n("Harmonize again."), "document_changed"
            )
        known = next((entry for entry in record.read(document) if entry.source == self.layer_id), None)
        if known is not None and record.node(document, known.group) is None:
            known = None
        return replace(self.foreground, layer=layer, record=known)


def why_left(answer):
    """Why a layer is left as it is, as a sentence for the artist with a place for its name."""
    if answer.fits:
        return i18n("“{0}” already fits: nothing was added.")
    return i18n("Harmonizing “{0}” would probably not help: nothing was added.")


def refusal(error):
    """An error of the engine as a sentence for the artist."""
    if isinstance(error, Cancelled):
        return Refusal(i18n("Cancelled."), code="cancelled")
    if isinstance(error, EngineError):
        return Refusal(error.message, error.hint, error.code, error.log)
    return error
