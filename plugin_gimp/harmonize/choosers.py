# SPDX-License-Identifier: GPL-3.0-or-later
"""A drop-down list of things that are only known when the dialog is open: layers, channels, models."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import Gimp, Gtk


class Chooser:
    """A list that sets a property of the call: options are (value, name)."""

    def __init__(self, config: Gimp.ProcedureConfig, name: str, label: str, options: Sequence[tuple[object, str]]) -> None:
        self.config, self.name = config, name
        self.combo = Gtk.ComboBoxText(hexpand=True)
        self.label = Gtk.Label(label=label, use_underline=True, xalign=0, mnemonic_widget=self.combo)
        self.values: list[object] = []
        self.offer(options)
        self.combo.connect("changed", self._chosen)

    def offer(self, options: Sequence[tuple[object, str]]) -> None:
        """Show these options, with what the property holds chosen, or the first of them."""
        now = self.config.get_property(self.name)
        self.values = []  # what follows is no choice of the artist's
        self.combo.remove_all()
        for _, text in options:
            self.combo.append_text(text)
        self.values = [value for value, _ in options]
        if now in self.values:
            self.combo.set_active(self.values.index(now))

    def choose_last(self) -> bool:
        """Choose the last option if none is chosen; whether that changed anything. The lowest layer is a good guess."""
        if not self.values or self.combo.get_active() >= 0:
            return False
        self.combo.set_active(len(self.values) - 1)
        return True

    def set_visible(self, visible: bool) -> None:
        """Show or hide the list and its label."""
        self.combo.set_visible(visible)
        self.label.set_visible(visible)

    def _chosen(self, combo: Gtk.ComboBoxText) -> None:
        place = combo.get_active()
        if 0 <= place < len(self.values) and self.config.get_property(self.name) != self.values[place]:
            self.config.set_property(self.name, self.values[place])
