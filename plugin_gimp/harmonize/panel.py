# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the dialog: the small picture and the verdict on the left, the choices on the right."""

from __future__ import annotations

from collections.abc import Callable

from choosers import Chooser
from engine_client import Answer, EngineError
from foreground import remark
from gi.repository import GdkPixbuf, Gimp, GimpUi, GLib, Gtk, Pango
from record import every, recorded, role
from settings import Settings
from setup_row import SetupRow
from subject import Subject
from verdict import verdict

widest, tallest = 440, 330  # of the small picture on the screen: the dialog fits 1366x768
narrowest = 400  # of the choices: sliders need room
words = 46  # characters in a line of the verdict


class Panel:
    """The widgets. own: the layer to harmonize; draw: called when "before" is switched; again: to try once more."""

    def __init__(
        self,
        window: GimpUi.ProcedureDialog,
        config: Gimp.ProcedureConfig,
        own: Gimp.Layer,
        draw: Callable[..., None],
        again: Callable[..., None],
    ) -> None:
        self.window, self.config, self.own, self.image = window, config, own, own.get_image()
        box = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=18, border_width=12)
        box.pack_start(self._pictures(draw, again), False, False, 0)
        box.pack_start(self._choices(), True, True, 0)
        window.get_content_area().pack_start(box, True, True, 0)
        box.show_all()
        self.edits.hide()
        self.retry.hide()
        self.setup.hide()
        self.show_choices(Settings.read(config))

    @property
    def shows_before(self) -> bool:
        """Whether the picture is to be shown as it is now."""
        return self.before.get_active()

    def show_picture(self, rgb: bytes, size: tuple[int, int]) -> None:
        """Show an 8-bit RGB picture."""
        width, height = size
        whole = GdkPixbuf.Pixbuf.new_from_bytes(
            GLib.Bytes.new(rgb), GdkPixbuf.Colorspace.RGB, False, 8, width, height, 3 * width
        )
        share = min(widest / width, tallest / height)
        fitted = max(1, round(width * share)), max(1, round(height * share))
        self.picture.set_from_pixbuf(whole.scale_simple(*fitted, GdkPixbuf.InterpType.BILINEAR))

    def show_subject(self, subject: Subject) -> None:
        """Say what is special about the layer."""
        self.show_picture(subject.composite.rgb, subject.frame.small)
        edited = " and ".join(
            part for part, is_so in (("curves", bool(subject.edits)), ("mask", subject.mask_is_painted)) if is_so
        )
        self.edits.set_visible(bool(edited))
        if edited:
            kept = "Your changes are kept" + ("; the preview shows new curves." if subject.edits else ".")
            fate = "Your changes are replaced." if subject.settings.replace_edits else kept
            self.edited.set_text(f"You have changed the {edited} of this group. {fate}")

    def show_choices(self, settings: Settings) -> bool:
        """Show the choosers that matter now; whether one of them has just made a choice of its own."""
        chosen = False
        for name, chooser in (("layer", self.layers), ("channel", self.channels)):
            needed = settings.reference == name
            chooser.set_visible(needed)
            chosen = (needed and chooser.choose_last()) or chosen
        return chosen

    def show_models(self, names: list[str]) -> None:
        """Offer the engine's models."""
        default, *others = names or ["default"]
        self.models.offer([("", f"{default} (default)"), *((name, name) for name in others)])

    def show_harmony(self, name: str, answer: Answer, engine: str) -> None:
        """Say how well the layer fits, and what it would gain."""
        self.spinner.stop()
        self.retry.hide()
        self.setup.hide()
        sentence = verdict(name, answer)
        if remark(self.image):
            sentence += f"\n{remark(self.image)}"
        self._say(sentence)
        self.engine.set_text("Worked out on this computer. Nothing is uploaded.")
        self.engine.set_tooltip_text(f"Engine: {engine}")

    def wait(self, sentence: str) -> None:
        """Say what is being done."""
        self.spinner.start()
        self.retry.hide()
        self.setup.hide()
        self._say(sentence)

    def complain(self, sentence: str, error: EngineError | None = None) -> None:
        """Say what is wrong; the artist may change a choice, try again, or set up the engine where that mends it."""
        self.spinner.stop()
        invitation = self.setup.offer(error)
        self.retry.set_visible(not invitation)
        self._say(invitation or sentence)

    def complain_of_setup(self, sentence: str, error: EngineError) -> None:
        """Say why the engine could not be set up; the artist may try again."""
        self.complain(sentence, error)
        self._say(sentence)

    def _say(self, sentence: str) -> None:
        self.verdict.set_text(sentence)

    def _pictures(self, draw: Callable[..., None], again: Callable[..., None]) -> Gtk.Box:
        self.picture = Gtk.Image(width_request=widest, height_request=tallest)
        self.before = Gtk.CheckButton(label="Show _before", use_underline=True)
        self.before.connect("toggled", draw)
        self.spinner = Gtk.Spinner()
        self.verdict = _text()
        self.verdict.set_size_request(-1, 58)  # two or three lines: the dialog does not jump
        self.retry = Gtk.Button(label="Try _again", use_underline=True, valign=Gtk.Align.CENTER)
        self.retry.connect("clicked", again)
        self.setup = SetupRow(self.wait, again, self.complain_of_setup)
        self.engine = _text()
        self.engine.set_opacity(0.6)
        self.engine.set_yalign(0.5)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        said = _row(self.verdict, self.spinner)
        for widget in (self.picture, self.before, said, self.setup.box, _row(self.engine, self.retry)):
            box.pack_start(widget, False, False, 0)
        return box

    def _choices(self) -> Gtk.Box:
        config, image, own = self.config, self.image, self.own
        layers = [(layer, layer.get_name()) for layer in every(image.get_layers()) if _is_artists(layer, own)]
        channels = [(channel, channel.get_name()) for channel in image.get_channels()]
        self.layers = Chooser(config, "reference-layer", "La_yer", layers)
        self.channels = Chooser(config, "reference-channel", "Cha_nnel", channels)
        self.models = Chooser(config, "model", "_Model", [("", "Default")])
        grid = Gtk.Grid(row_spacing=8, column_spacing=8)
        rows = [self._choice("foreground", "_Foreground"), self._choice("reference", "Match _to")]
        rows += [(one.label, one.combo) for one in (self.layers, self.channels, self.models)]
        rows.append(self._choice("curves", "Cur_ves"))
        for row, (label, widget) in enumerate(rows):
            grid.attach(label, 0, row, 1, 1)
            grid.attach(widget, 1, row, 1, 1)
        replace = GimpUi.prop_check_button_new(config, "replace-edits", "Replace my chan_ges to this group")
        self.edited = _text()
        self.edits = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
        for widget in (self.edited, replace):
            self.edits.pack_start(widget, False, False, 0)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12, width_request=narrowest)
        box.pack_start(grid, False, False, 0)
        for name in ("color-strength", "light-strength"):
            strength = self.window.get_scale_entry(name, 1.0)
            strength.set_digits(0)
            box.pack_start(strength, False, False, 0)
        box.pack_start(self.edits, False, False, 0)
        return box

    def _choice(self, name: str, text: str) -> tuple[Gtk.Label, Gtk.Widget]:
        combo = GimpUi.prop_choice_combo_box_new(self.config, name)
        combo.set_hexpand(True)
        label = Gtk.Label(label=text, use_underline=True, xalign=0, mnemonic_widget=combo)
        return label, combo


def _is_artists(layer: Gimp.Layer, own: Gimp.Layer) -> bool:
    """Whether a layer may be chosen as the reference."""
    return layer != own and recorded(layer) is None and role(layer) is None


def _row(text: Gtk.Widget, end: Gtk.Widget) -> Gtk.Box:
    """A text with something at its end that comes and goes; the row keeps its height."""
    row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=6, height_request=36)
    row.pack_start(text, True, True, 0)
    row.pack_end(end, False, False, 0)
    return row


def _text() -> Gtk.Label:
    label = Gtk.Label(xalign=0, yalign=0, wrap=True, max_width_chars=words, selectable=False)
    label.set_line_wrap_mode(Pango.WrapMode.WORD_CHAR)
    return label
