# SPDX-License-Identifier: GPL-3.0-or-later
"""The Harmonize group: made in a picture of its own, handed over to the artist's in one step.

    Harmonize: <layer>              pass-through, its mask the foreground
        Clip highlights             Darken only, white; only where light can exceed white
        Light (brighten)            Divide; only where light brightens
        Light (darken)              Multiply
        Saturation, Tone curves     empty pass-through groups with one of GIMP's own effects each

Everything blends display-encoded values, as the engine's renderer does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import curves
from effects import Effect, Saturation, ToneCurves, display
from gi.repository import Gimp
from light import LightMap, paint
from pixels import Frame, gamma
from record import Record, mark, role
from refusal import Refusal


@dataclass(frozen=True)
class Look:
    """What the engine answered, and how strongly it is to be applied, 0..1.

    harmonization: a harmonize/1 document; points: parallel to its adjustments. exact: free-hand curves, no points.
    """

    harmonization: dict
    points: list | None
    color_strength: float
    light_strength: float
    exact: bool

    def effects(self, grey: bool) -> list[Effect]:
        """The adjustments of colour, the first to be applied first; a grey picture has no saturation."""
        adjustments, made = self.harmonization["adjustments"], []
        if any(adjustment["kind"] == "shading" for adjustment in adjustments[:-1]):
            raise Refusal("This model changes colour after light, which layers cannot show. Choose another model.")
        for place, adjustment in enumerate(adjustments):
            if adjustment["kind"] == "curves":
                tables = curves.tables(adjustment, grey)
                told = self.points[place] if self.points else None
                grown = curves.growth(adjustments[place + 1 :])
                points = dict.fromkeys(tables) if self.exact else curves.points_for(tables, told, grown)
                made.append(ToneCurves(f"curves {place}", self.color_strength, tables, points))
            elif adjustment["kind"] == "saturation" and not grey:
                strength = self.color_strength * adjustment.get("strength", 1.0)
                made.append(Saturation(f"saturation {place}", strength, adjustment["amount"]))
        return made

    @property
    def light(self) -> LightMap | None:
        """The light map, if there is one."""
        last = self.harmonization["adjustments"][-1:]
        return LightMap.read(last[0]) if last and last[0]["kind"] == "shading" else None


def made(image: Gimp.Image, name: str, look: Look, fill_mask: Callable[[Gimp.LayerMask], None]) -> Gimp.GroupLayer:
    """Make the group without its effects in a picture of its own; `group.get_image().delete()` throws it away."""
    frame = Frame(image.get_width(), image.get_height())
    picture = Gimp.Image.new_with_precision(frame.width, frame.height, image.get_base_type(), image.get_precision())
    try:
        picture.undo_disable()
        if image.get_color_profile() is not None:
            picture.set_color_profile(image.get_color_profile())
        group = Gimp.GroupLayer.new(picture, f"Harmonize: {name}")
        picture.insert_layer(group, None, 0)
        group.set_mode(Gimp.LayerMode.PASS_THROUGH)  # before the space, which it resets
        group.set_composite_space(display)
        _add_light(picture, group, look, frame)
        mask = group.create_mask(Gimp.AddMaskType.BLACK)  # as large as the light layers: they have to be there first
        fill_mask(mask)
        group.add_mask(mask)
        group.set_expanded(False)
    except BaseException:
        picture.delete()
        raise
    return group


def ours_in(group: Gimp.GroupLayer) -> dict[str, Gimp.Layer]:
    """Our layers in a group, by what they are for."""
    return {role(layer): layer for layer in group.get_children() if role(layer) is not None}


def edited_curves(group: Gimp.GroupLayer, harmonization: dict, record: Record) -> list[str]:
    """The roles of the tone curves in a group that the artist has changed or deleted since they were written."""
    grey, layers, found = group.is_gray(), ours_in(group), []
    for place, adjustment in enumerate(harmonization["adjustments"]):
        name = f"curves {place}"
        if adjustment["kind"] != "curves":
            continue
        if name in layers and not layers[name].get_filters():
            continue  # GIMP 3.0 loses effects when a layer is undone and redone
        now = read_back(layers[name]) if name in layers else None
        if curves.edited(now, curves.tables(adjustment, grey), record.points.get(name, {})):
            found.append(name)
    return found


def read_back(layer: Gimp.Layer) -> curves.Tables | None:
    """The curves of a layer's effect as they are now; only a saved file tells them."""
    image = layer.get_image()
    copy = Gimp.Image.new_with_precision(1, 1, image.get_base_type(), image.get_precision())
    file = Gimp.temp_file("xcf")
    try:
        copy.insert_layer(Gimp.Layer.new_from_drawable(layer, copy), None, 0)
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, copy, file)
        with open(file.peek_path(), "rb") as saved:
            return curves.read_curves(saved.read())
    finally:
        copy.delete()
        if os.path.exists(file.peek_path()):
            os.unlink(file.peek_path())


def _add_light(picture: Gimp.Image, group: Gimp.GroupLayer, look: Look, frame: Frame) -> None:
    """Add the light layers on top. The first is always there: a group and its mask are as large as what is inside."""
    light, strength = look.light, look.light_strength
    if light is None:
        light, strength = LightMap(1, 1, [1.0]), 1.0
    fine = light.finer(frame)
    _add(picture, group, "light (darken)", fine.darkening(), Gimp.LayerMode.MULTIPLY, strength, frame)
    if light.brightens:
        _add(picture, group, "light (brighten)", fine.brightening(), Gimp.LayerMode.DIVIDE, strength, frame)
        _add(picture, group, "clip highlights", LightMap(1, 1, [1.0]), Gimp.LayerMode.DARKEN_ONLY, 1.0, frame)


def _add(
    picture: Gimp.Image,
    group: Gimp.GroupLayer,
    name: str,
    light: LightMap,
    mode: Gimp.LayerMode,
    strength: float,
    frame: Frame,
) -> None:
    """Add one layer. It is painted where numbers are display-encoded, and converted by the picture's profile."""
    base = picture.get_base_type()
    easel = Gimp.Image.new_with_precision(frame.width, frame.height, base, gamma(picture.get_precision()))
    try:
        easel.undo_disable()
        kind = Gimp.ImageType.GRAY_IMAGE if base == Gimp.ImageBaseType.GRAY else Gimp.ImageType.RGB_IMAGE
        sheet = Gimp.Layer.new(easel, name, frame.width, frame.height, kind, 100, Gimp.LayerMode.NORMAL)
        easel.insert_layer(sheet, None, 0)
        if set(light.gains) == {1.0}:
            sheet.fill(Gimp.FillType.WHITE)
        else:
            paint(sheet, light, frame)
        if picture.get_color_profile() is not None:
            easel.set_color_profile(picture.get_color_profile())
        layer = Gimp.Layer.new_from_drawable(sheet, picture)
    finally:
        easel.delete()
    layer.set_name(name.capitalize())
    picture.insert_layer(layer, group, 0)
    layer.set_mode(mode)  # before the spaces, which it resets
    layer.set_blend_space(display)
    layer.set_composite_space(display)
    layer.set_opacity(100 * strength)
    mark(layer, name)
