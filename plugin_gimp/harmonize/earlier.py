# SPDX-License-Identifier: GPL-3.0-or-later
"""A group from an earlier time: what of it is the artist's own and stays."""

from __future__ import annotations

from dataclasses import dataclass

from effects import remove
from gi.repository import Gimp
from group import ours_in
from record import Record, role
from refusal import Refusal


@dataclass(frozen=True)
class Earlier:
    """The group, the parameters and the record noted on it, and the roles of the curves that were edited since."""

    group: Gimp.GroupLayer
    parameters: dict
    record: Record
    edits: list[str]

    def parameters_with(self, parameters: dict) -> dict:
        """The parameters a new group stands for: those of edited curves stay as they were written.

        Raises Refusal where the new adjustments are of another kind than the edited ones.
        """
        kinds = [[adjustment["kind"] for adjustment in each["adjustments"]] for each in (self.parameters, parameters)]
        if not self.edits:
            return parameters
        if kinds[0] != kinds[1]:
            raise Refusal(
                "You have edited the curves, and this model makes other layers. "
                "Choose 'Replace my changes', or keep to the model you had."
            )
        adjustments = [
            old if f"curves {place}" in self.edits else new
            for place, (old, new) in enumerate(zip(self.parameters["adjustments"], parameters["adjustments"], strict=True))
        ]
        return {**parameters, "adjustments": adjustments}

    def keep_looks(self, group: Gimp.GroupLayer, strengths_chosen: bool) -> None:
        """Carry over opacities and visibility of single layers, where they are not what was written."""
        new = ours_in(group)
        for name, old in ours_in(self.group).items():
            if name not in new or name in self.edits:
                continue
            new[name].set_visible(old.get_visible())
            if not strengths_chosen and abs(old.get_opacity() - 100 * self._strength(name)) > 0.1:
                new[name].set_opacity(old.get_opacity())

    def keep_edits(self, image: Gimp.Image, group: Gimp.GroupLayer) -> None:
        """Move edited curves over, in place of new ones; both groups are in the picture."""
        old, new = ours_in(self.group), ours_in(group)
        for name in self.edits:
            if name in old:
                place = image.get_item_position(new[name]) if name in new else len(group.get_children())
                image.reorder_item(old[name], group, place)
            if name in new:
                remove(image, new[name])

    def _strength(self, name: str) -> float:
        """The opacity a layer was written with, 0..1."""
        adjustments = self.parameters["adjustments"]
        kind, _, place = name.partition(" ")
        if kind == "curves":
            return self.record.color_strength
        if kind == "saturation":
            return self.record.color_strength * adjustments[int(place)].get("strength", 1.0)
        lit = any(adjustment["kind"] == "shading" for adjustment in adjustments)
        return self.record.light_strength if kind == "light" and lit else 1.0


def strengths_in(group: Gimp.GroupLayer) -> dict[str, float]:
    """The strengths that the layers of a group have now, in percent, by the name of the setting."""
    found = {}
    for name, layer in ours_in(group).items():
        if name.startswith("curves"):
            found["color-strength"] = layer.get_opacity()
        elif name.startswith("light"):
            found["light-strength"] = layer.get_opacity()
    return found


def take_place(image: Gimp.Image, old: Gimp.GroupLayer, new: Gimp.GroupLayer) -> None:
    """Put a new group, already in the picture, where the old one is; what the artist set or added moves over."""
    names = {None: old.get_name()} | {place: layer.get_name() for place, layer in ours_in(old).items()}
    new.set_opacity(old.get_opacity())
    new.set_visible(old.get_visible())
    new.set_color_tag(old.get_color_tag())
    for child in reversed(old.get_children()):
        if role(child) is None:
            image.reorder_item(child, new, 0)
        elif child.get_filters():
            remove(image, child)
    new.set_expanded(old.get_expanded())
    image.remove_layer(old)
    for place, layer in {None: new, **ours_in(new)}.items():  # beside the old ones they were numbered
        if place in names:
            layer.set_name(names[place])
