# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialog's button that sets up the engine, how far that is, and a button to stop it."""

from __future__ import annotations

import os
from collections.abc import Callable

from engine_client import EngineError, clean_environment
from engine_setup import EngineSetup, Failure
from gi.repository import GLib, Gtk
from setup import archive, helps

invitation = "The Harmonize engine is not set up yet. The button does it: it downloads about 50 MB, once."
again = "The Harmonize engine does not work. The button sets it up again."


class SetupRow:
    """say: shows a sentence; ready: called when there is an engine; failed: with the reason where there is none.

    When the dialog is closed the installer goes on, and the engine is there the next time.
    """

    def __init__(
        self, say: Callable[[str], None], ready: Callable[[], object], failed: Callable[[str, EngineError], None]
    ) -> None:
        self._say, self._ready, self._failed = say, ready, failed
        self._running: EngineSetup | None = None
        self._error: EngineError | None = None
        self.button = Gtk.Button(label="Set up the _engine", use_underline=True)
        self.button.connect("clicked", self._start)
        self.bar = Gtk.ProgressBar(valign=Gtk.Align.CENTER)
        self.stop = Gtk.Button(label="Sto_p", use_underline=True)
        self.stop.connect("clicked", lambda _: self._running and self._running.cancel())
        self.box = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=6)
        self.box.pack_start(self.button, True, True, 0)
        self.box.pack_start(self.bar, True, True, 0)
        self.box.pack_start(self.stop, False, False, 0)

    @property
    def runs(self) -> bool:
        """Whether the installer runs."""
        return self._running is not None

    def offer(self, error: EngineError | None) -> str:
        """Show the button if it mends an error; returns the sentence that belongs to it, empty if it is no help."""
        if not helps(error):
            self.hide()
            return ""
        self._error = error
        self.box.show()
        self.button.set_visible(not self.runs)
        self.bar.set_visible(self.runs)
        self.stop.set_visible(self.runs)
        return invitation if error.code == "engine_missing" else again

    def hide(self) -> None:
        """Show nothing, unless the installer runs."""
        if not self.runs:
            self.box.hide()

    def _start(self, _: Gtk.Button) -> None:
        self._running = EngineSetup(
            archive(),
            clean_environment(os.environ),
            lambda sentence, share: GLib.idle_add(self._show, sentence, share),
            lambda failure: GLib.idle_add(self._end, failure),
        )
        self.offer(self._error)
        self._running.start()

    def _show(self, sentence: str, share: float | None) -> None:
        self._say(f"Setting up the engine: {sentence.rstrip('.')}…")
        if share is None:
            self.bar.pulse()
        else:
            self.bar.set_fraction(share)

    def _end(self, failure: Failure | None) -> None:
        self._running = None
        self.bar.set_fraction(0)
        if failure is None:
            self.hide()
            self._ready()
        else:
            log = f" (Log: {failure.log})" if failure.log else ""
            self._failed(f"{failure.message} {failure.hint}{log}", self._error)
