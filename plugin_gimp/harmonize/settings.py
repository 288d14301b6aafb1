# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist can choose, as arguments of the procedure."""

from __future__ import annotations

from dataclasses import dataclass

from gi.repository import Gimp, GObject

both_ways = GObject.ParamFlags.READWRITE


@dataclass(frozen=True)
class Settings:
    """What to harmonize with what, and how strongly (0..1). An empty model is the engine's default."""

    foreground: str = "auto"
    reference: str = "beneath"
    reference_layer: Gimp.Layer | None = None
    reference_channel: Gimp.Channel | None = None
    model: str = ""
    color_strength: float = 1.0
    light_strength: float = 1.0
    exact: bool = False
    replace_edits: bool = False
    always: bool = False
    strengths_chosen: bool = False  # in the dialog: they win over opacities that the artist has set

    @classmethod
    def read(cls, config: Gimp.ProcedureConfig) -> Settings:
        """Read the arguments of a call."""
        return cls(
            config.get_property("foreground"),
            config.get_property("reference"),
            config.get_property("reference-layer"),
            config.get_property("reference-channel"),
            config.get_property("model") or "",
            config.get_property("color-strength") / 100,
            config.get_property("light-strength") / 100,
            config.get_property("curves") == "exact",
            config.get_property("replace-edits"),
            config.get_property("always"),
        )


def add_arguments(procedure: Gimp.Procedure) -> None:
    """Declare the arguments, in the order of a call from a script."""
    foreground = _choice(
        ("auto", "Layer shape and selection", "What shows of the layer, inside the selection if there is one"),
        ("layer", "Layer shape only", "What shows of the layer, whatever is selected"),
        ("selection", "Selection only", "What is selected, whatever the layer's shape"),
    )
    add = procedure.add_choice_argument
    add("foreground", "_Foreground", "What is to be changed", foreground, "auto", both_ways)
    reference = _choice(
        ("beneath", "Everything beneath", "All that is visible beneath the layer"),
        ("layer", "A layer", "One layer, whether it is visible or not"),
        ("channel", "A channel", "The region that a saved channel marks"),
    )
    add("reference", "Match _to", "What the foreground is to fit", reference, "beneath", both_ways)
    procedure.add_layer_argument("reference-layer", "La_yer to match", "With 'A layer'", True, both_ways)
    procedure.add_channel_argument("reference-channel", "Cha_nnel to match", "With 'A channel'", True, both_ways)
    procedure.add_string_argument("model", "_Model", "Empty: the engine's default", "", both_ways)
    percent = procedure.add_double_argument
    percent("color-strength", "Colo_ur strength", "Opacity of the tone curves, in percent", 0, 100, 100, both_ways)
    percent("light-strength", "L_ight strength", "Opacity of the light layers, in percent", 0, 100, 100, both_ways)
    shape = _choice(
        ("points", "Points to drag", "Few smooth points, drawn exactly until you move one"),
        ("exact", "Free-hand", "Exact free-hand curves without points"),
    )
    add("curves", "Cur_ves", "How the tone curves can be edited", shape, "points", both_ways)
    flag = procedure.add_boolean_argument
    flag("replace-edits", "Replace my chan_ges", "Replace curves, masks and opacities you have edited", False, both_ways)
    flag("always", "_Even if it is better left alone", "Otherwise such a layer is left as it is", False, both_ways)
    told = procedure.add_double_return_value
    told("harmony-before", "Harmony before", "0 to 1 of the last layer; -1: not known", -1, 1, -1, both_ways)
    told("harmony-after", "Harmony after", "0 to 1 of the last layer; -1: not known", -1, 1, -1, both_ways)


def _choice(*options: tuple[str, str, str]) -> Gimp.Choice:
    choice = Gimp.Choice.new()
    for number, (name, label, help_text) in enumerate(options):
        choice.add(name, number, label, help_text)
    return choice
