#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters > Light and Shadow > Harmonize: what was pasted is made to belong, as layers that stay editable."""

from __future__ import annotations

import os
import sys
import traceback

import gi

for name, version in {"Gimp": "3.0", "GimpUi": "3.0", "Gtk": "3.0", "Gegl": "0.4", "Babl": "0.1"}.items():
    gi.require_version(name, version)
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # the modules beside this file
from gi.repository import Gegl, Gimp, GLib, GObject  # noqa: E402

procedure_name = "plug-in-harmonize"
blurb = "Harmonize what you pasted: match colour, brightness and light to the picture (relight, blend in)"
help_text = (
    "Looks at the layer and at what lies beneath, and adds a group of tone curves and light layers that makes the layer "
    "belong. Nothing of yours is touched: drag the group's opacity, edit its curves, or delete it."
)


class Harmonize(Gimp.PlugIn):
    """The plug-in as GIMP sees it."""

    def do_set_i18n(self, name: str) -> bool:
        """No translations yet."""
        return False

    def do_query_procedures(self) -> list[str]:
        """The one procedure."""
        return [procedure_name]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """Describe the procedure; the menu entry is never greyed out, so that it can say what is missing."""
        from settings import add_arguments

        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        when = Gimp.ProcedureSensitivityMask
        procedure.set_image_types("*")
        procedure.set_sensitivity_mask(when.DRAWABLE | when.DRAWABLES | when.NO_DRAWABLES)
        procedure.set_menu_label("_Harmonize...")
        procedure.add_menu_path("<Image>/Filters/Light and Shadow")
        procedure.set_documentation(blurb, help_text, None)
        procedure.set_attribution("Harmonize contributors", "Harmonize contributors", "2026")
        add_arguments(procedure)
        return procedure


def run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _: object,
) -> Gimp.ValueArray:
    """Harmonize, and tell GIMP how it went: every failure is one sentence, and leaves the picture as it was."""
    from engine_client import Cancelled, EngineError
    from refusal import Refusal
    from setup import told_of

    status = Gimp.PDBStatusType
    Gegl.init(None)
    try:
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from dialog import ask

            told = ask(procedure, config, image, drawables)
            if told is None:
                return procedure.new_return_values(status.CANCEL, None)
        else:
            from settings import Settings
            from unattended import harmonize

            told = harmonize(image, drawables, Settings.read(config))
        Gimp.displays_flush()
        return _harmonies(procedure.new_return_values(status.SUCCESS, None), told)
    except Cancelled:
        return procedure.new_return_values(status.CANCEL, None)
    except Refusal as reason:
        return procedure.new_return_values(status.EXECUTION_ERROR, GLib.Error(str(reason)))
    except EngineError as error:
        return procedure.new_return_values(status.EXECUTION_ERROR, GLib.Error(told_of(error)))
    except Exception as fault:
        traceback.print_exc()
        sentence = f"Harmonize stopped because of a fault of its own; the picture is as it was. ({fault!r})"
        return procedure.new_return_values(status.EXECUTION_ERROR, GLib.Error(sentence))


def _harmonies(values: Gimp.ValueArray, told: tuple[float, float]) -> Gimp.ValueArray:
    for place, harmony in enumerate(told, start=1):
        values.remove(place)
        values.insert(place, GObject.Value(GObject.TYPE_DOUBLE, harmony))
    return values


if __name__ == "__main__":
    Gimp.main(Harmonize.__gtype__, sys.argv)
