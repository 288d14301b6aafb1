# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialog: what to match to what, how strongly, and how it will look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from asking import Asking, Found
from earlier import strengths_in
from engine_client import EngineError
from foreground import targets
from gi.repository import Gimp, GimpUi, GLib, GObject, Gtk
from panel import Panel
from preview import Preview
from record import group_of
from refusal import Refusal
from settings import Settings
from subject import Subject
from unattended import apply

asks_again = ("foreground", "reference", "reference-layer", "reference-channel", "model", "replace-edits")
reads_again = tuple(name for name in asks_again if name != "model")


def ask(
    procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, image: Gimp.Image, drawables: Sequence[Gimp.Drawable]
) -> tuple[float, float] | None:
    """Show the dialog and do what it says; returns the harmony before and after, None if the artist changes their mind.

    Raises Refusal, EngineError.
    """
    layers = targets(image, drawables)
    GimpUi.init("harmonize")
    dialog = Dialog(procedure, config, image, layers)
    try:
        if not dialog.run():
            return None
        settings = dialog.settings()
        answers = {dialog.subject.layer: dialog.found.answer}  # seen in the preview, and wanted
    finally:
        dialog.close()
    config.set_property("replace-edits", False)  # GIMP keeps the last values, and this was for one time
    return apply(image, layers, settings, answers)


class Dialog:
    """The window, the layer it looks at, and what the engine has said about it."""

    def __init__(
        self,
        procedure: Gimp.Procedure,
        config: Gimp.ProcedureConfig,
        image: Gimp.Image,
        layers: list[Gimp.Layer],
    ) -> None:
        self.config, self.image, self.layers = config, image, layers
        self.subject: Subject | None = None
        self.found: Found | None = None
        self.preview: Preview | None = None
        self.asking = Asking(self._progress)
        self._start_from_earlier()
        title = "Harmonize" if len(layers) == 1 else f"Harmonize {len(layers)} layers"
        self.window = GimpUi.ProcedureDialog.new(procedure, config, title)
        self.window.set_ok_label("_Harmonize")
        self.panel = Panel(self.window, config, layers[-1], self._draw, self._read)
        self.handlers = [config.connect(f"notify::{name}", self._changed) for name in asks_again]
        self.handlers += [config.connect(f"notify::{name}", self._draw) for name in ("color-strength", "light-strength")]
        GLib.idle_add(self._read)

    def run(self) -> bool:
        """Whether the artist wants it."""
        self.window.set_response_sensitive(Gtk.ResponseType.OK, False)
        return self.window.run()

    def close(self) -> None:
        """Stop asking, and throw the private copy of the picture away."""
        self.asking.cancel()
        for handler in self.handlers:
            self.config.disconnect(handler)
        if self.subject is not None:
            self.subject.close()
        self.window.destroy()

    def settings(self) -> Settings:
        """What is chosen now."""
        return replace(Settings.read(self.config), strengths_chosen=True)

    def _start_from_earlier(self) -> None:
        """A layer that was harmonized before comes with its own strengths."""
        group = group_of(self.image, self.layers[-1])
        if group is not None:
            for name, percent in strengths_in(group).items():
                self.config.set_property(name, percent)

    def _changed(self, _: GObject.Object, changed: GObject.ParamSpec) -> None:
        if self.panel.show_choices(Settings.read(self.config)):
            return  # what it chose has already come back here
        if changed.name in reads_again:
            self._read()
        else:
            self._look()

    def _read(self, *_: object) -> bool:
        """Look at the layer anew. Returns False: GLib calls it once."""
        self.found = self.preview = None
        if self.subject is not None:
            self.subject.close()
            self.subject = None
        self.window.set_response_sensitive(Gtk.ResponseType.OK, False)
        try:
            self.subject = Subject(self.image, self.layers[-1], Settings.read(self.config))
        except Refusal as reason:
            self.asking.cancel()
            self.panel.complain(str(reason))
            return False
        self.panel.show_subject(self.subject)
        self._look()
        return False

    def _look(self) -> None:
        if self.subject is None or self.panel.setup.runs:
            return
        self.window.set_response_sensitive(Gtk.ResponseType.OK, False)
        self.panel.wait("Looking at the picture…")
        grey = self.image.get_base_type() == Gimp.ImageBaseType.GRAY
        self.asking.ask(self.subject.proxy, self.config.get_property("model"), grey, self._answered, self._failed)

    def _progress(self, stage: str, fraction: float) -> None:
        if fraction < 1:
            self.panel.wait(f"{stage.capitalize()}…")

    def _answered(self, found: Found) -> None:
        self.found = found
        self.preview = Preview.of(self.subject.proxy, found.changed, found.answer.harmonization["adjustments"])
        self.panel.show_models(self.asking.models)
        self.panel.show_harmony(self.subject.name, found.answer, found.engine)
        self.window.set_response_sensitive(Gtk.ResponseType.OK, True)
        self._draw()

    def _failed(self, sentence: str, error: EngineError | None = None) -> None:
        self.panel.complain(sentence, error)

    def _draw(self, *_: object) -> None:
        if self.preview is not None:
            settings = Settings.read(self.config)
            before = self.panel.shows_before
            shown = self.preview.before if before else self.preview.after(settings.color_strength, settings.light_strength)
            self.panel.show_picture(shown, self.preview.size)
