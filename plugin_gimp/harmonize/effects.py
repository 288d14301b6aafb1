# SPDX-License-Identifier: GPL-3.0-or-later
"""Tone curves and saturation as GIMP's own effects, each on an empty pass-through group in the artist's picture.

An effect's own opacity would blend linear light; the group's blends display-encoded values.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import curves
import xcf
from gi.repository import Gegl, Gimp, GObject
from pixels import encoding, nowhere, rectangle
from record import mark

display = Gimp.LayerColorSpace.RGB_NON_LINEAR
has_curves = hasattr(Gimp, "Curve")  # from 3.2 on; without it an appended effect of GIMP's own crashes it


@dataclass(frozen=True)
class ToneCurves:
    """256 levels by channel, and points to drag or None for a free-hand curve."""

    role: str
    strength: float
    tables: curves.Tables
    points: dict[str, curves.Points | None]
    name = "Tone curves"
    operation = "gimp:curves"

    @property
    def settings(self) -> str:
        """As an .xcf holds it."""
        return curves.curves_settings(self.tables, self.points)

    def configure(self, effect: Gimp.DrawableFilter) -> None:
        """Set all channels of an effect."""
        config = effect.get_config()
        config.set_property("trc", Gimp.TRCType.NON_LINEAR)
        for name, table in self.tables.items():
            config.set_property("channel", getattr(Gimp.HistogramChannel, name.upper()))
            config.set_property("curve", _curve(table, self.points.get(name)))
            effect.update()


@dataclass(frozen=True)
class Saturation:
    """HSL saturation times 1 + amount."""

    role: str
    strength: float
    amount: float
    name = "Saturation"
    operation = "gimp:hue-saturation"

    @property
    def settings(self) -> str:
        """As an .xcf holds it."""
        return curves.saturation_settings(self.amount)

    def configure(self, effect: Gimp.DrawableFilter) -> None:
        """Set the saturation of all hues."""
        effect.get_config().set_property("saturation", self.amount)
        effect.update()


Effect = ToneCurves | Saturation


def insert(image: Gimp.Image, group: Gimp.GroupLayer, effects: Sequence[Effect]) -> None:
    """Add effects at the bottom of a group, the first to be applied first.

    They go into the picture one by one: what an effect does on a layer that comes with it, redo would leave out.
    """
    at = len(group.get_children())
    if has_curves:
        layers = [_appended(image, group, effect, at) for effect in effects]
    else:
        layers = _loaded(image, group, effects, at)
    for layer, effect in zip(layers, effects, strict=True):
        layer.set_opacity(100 * effect.strength)
        mark(layer, effect.role)


def remove(image: Gimp.Image, layer: Gimp.Layer) -> None:
    """Remove a layer and its effects, in such a way that undo brings back both."""
    for effect in layer.get_filters():
        effect.delete()
    image.remove_layer(layer)


@contextmanager
def nothing_selected(image: Gimp.Image) -> Iterator[None]:
    """Keep the selection out of the way: an effect that is appended would take it for its mask."""
    if not has_curves or Gimp.Selection.is_empty(image):
        yield
        return
    selection, whole = image.get_selection(), rectangle(image.get_width(), image.get_height())
    numbers = selection.get_buffer().get(whole, 1.0, None, nowhere)
    saved = Gimp.Selection.save(image)
    Gimp.Selection.none(image)
    try:
        yield
    finally:
        image.select_item(Gimp.ChannelOps.REPLACE, saved)
        image.remove_channel(saved)
        _refill(selection, whole, numbers)


def _refill(selection: Gimp.Selection, whole: Gegl.Rectangle, numbers: bytes) -> None:
    """On the way through a channel soft edges may have been rounded."""
    buffer = selection.get_buffer()
    if buffer.get(whole, 1.0, None, nowhere) != numbers:
        buffer.set(whole, encoding(selection), numbers)
        buffer.flush()
        selection.update(0, 0, whole.width, whole.height)


def _appended(image: Gimp.Image, group: Gimp.GroupLayer, effect: Effect, at: int) -> Gimp.Layer:
    layer = Gimp.GroupLayer.new(image, effect.name)
    image.insert_layer(layer, group, at)  # beneath those that are applied later
    layer.set_mode(Gimp.LayerMode.PASS_THROUGH)  # before the space, which it resets
    layer.set_composite_space(display)
    layer.set_expanded(False)
    native = Gimp.DrawableFilter.new(layer, effect.operation, f"Harmonize: {effect.name.lower()}")
    effect.configure(native)
    layer.append_filter(native)
    return layer


def _loaded(image: Gimp.Image, group: Gimp.GroupLayer, effects: Sequence[Effect], at: int) -> list[Gimp.Layer]:
    grey = image.get_base_type() == Gimp.ImageBaseType.GRAY
    canvas = xcf.Canvas(image.get_width(), image.get_height(), int(image.get_precision()), grey)
    written = [xcf.Effect(effect.name, effect.operation, effect.settings) for effect in effects]
    picture = _opened(xcf.effects_picture(canvas, written))
    layers = []
    try:
        for layer in picture.get_layers():
            copy = _copied(layer, image)
            image.insert_layer(copy, group, at)
            copy.set_name(layer.get_name())
            layers.append(copy)
    finally:
        picture.delete()
    return layers


def _opened(content: bytes) -> Gimp.Image:
    file = Gimp.temp_file("xcf")
    try:
        with open(file.peek_path(), "wb") as out:
            out.write(content)
        return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
    finally:
        os.unlink(file.peek_path())


def _copied(layer: Gimp.Layer, image: Gimp.Image) -> Gimp.Layer:
    """Copy a layer into a picture.

    GIMP leaves the masks of copied effects in the picture they came from, and crashes once that is gone; those of a copy
    of the copy belong here.
    """
    first = Gimp.Layer.new_from_drawable(layer, image)
    copy = first.copy()
    first.delete()
    return copy


def _curve(table: list[float], points: curves.Points | None) -> GObject.Object:
    curve = Gimp.Curve.new()
    if points is None:
        curve.set_curve_type(Gimp.CurveType.FREE)
        curve.set_n_samples(len(table))
        for level, y in zip(curves.identity, table, strict=True):
            curve.set_sample(level, y)
    else:
        curve.set_curve_type(Gimp.CurveType.SMOOTH)
        curve.clear_points()
        for x, y in points:
            curve.add_point(x, y)
    return curve
