# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Harmonize group remembers, so that it is found again and the artist's own changes are told from ours."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from gi.repository import Gimp

saved_and_undoable = 3  # flags of a parasite
parameters_name = "harmonize"  # on the group: the parameters as every host keeps them
record_name = "harmonize-gimp"  # on the group: what is below
role_name = "harmonize-role"  # on what is inside the group: what it is for


@dataclass(frozen=True)
class Record:
    """Which layer a group belongs to, the strengths it was made with (0..1), and a checksum of its mask.

    points: of the tone curves, by role and channel, None for a free-hand curve.
    """

    layer: int  # the layer's tattoo, which a saved file keeps
    color_strength: float = 1.0
    light_strength: float = 1.0
    mask: int = 0
    points: dict = field(default_factory=dict)


def remember(group: Gimp.Layer, harmonization: dict, record: Record) -> None:
    """Note on a group what it is."""
    _attach(group, parameters_name, json.dumps(harmonization))
    _attach(group, record_name, json.dumps(asdict(record)))


def mark(layer: Gimp.Layer, role: str) -> None:
    """Note on a layer inside a group what it is for."""
    _attach(layer, role_name, role)


def role(layer: Gimp.Layer) -> str | None:
    """What a layer inside a group is for; None for the artist's own."""
    return _read(layer, role_name)


def recorded(group: Gimp.Item) -> tuple[dict, Record] | None:
    """Read what `remember` noted; None for any other layer."""
    try:
        parameters, fields = json.loads(_read(group, parameters_name) or ""), json.loads(_read(group, record_name) or "")
        return parameters, Record(**fields)
    except (ValueError, TypeError):
        return None


def owner(image: Gimp.Image, group: Gimp.Item) -> Gimp.Layer | None:
    """The layer that a group belongs to; None where it is none of ours or its layer is gone."""
    found = recorded(group)
    return None if found is None else image.get_layer_by_tattoo(found[1].layer)


def group_of(image: Gimp.Image, layer: Gimp.Layer) -> Gimp.GroupLayer | None:
    """The group that belongs to a layer; the one nearest above it where a copied picture or group left several."""
    tattoo = layer.get_tattoo()
    groups = [group for group in every(image.get_layers()) if (found := recorded(group)) and found[1].layer == tattoo]
    beside = [group for group in groups if group.get_parent() == layer.get_parent()]
    return (beside or groups or [None])[-1]


def every(layers: list[Gimp.Layer]) -> list[Gimp.Layer]:
    """All layers, groups before what they hold, from the top."""
    found = []
    for layer in layers:
        found.append(layer)
        if layer.is_group():
            found += every(layer.get_children())
    return found


def place_of(image: Gimp.Image, layer: Gimp.Item) -> tuple[int, ...]:
    """Positions that lead to a layer, from the outermost group."""
    parent = layer.get_parent()
    above = () if parent is None else place_of(image, parent)
    return (*above, image.get_item_position(layer))


def _attach(layer: Gimp.Item, name: str, text: str) -> None:
    layer.attach_parasite(Gimp.Parasite.new(name, saved_and_undoable, text.encode()))


def _read(layer: Gimp.Item, name: str) -> str | None:
    parasite = layer.get_parasite(name)
    return None if parasite is None else bytes(parasite.get_data()).decode()
