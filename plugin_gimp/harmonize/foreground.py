# SPDX-License-Identifier: GPL-3.0-or-later
"""Which layers are to be harmonized, and why they cannot be."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import Gimp
from record import owner, place_of
from refusal import Refusal

smallest_side = 16  # pixels


def targets(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> list[Gimp.Layer]:
    """The layers meant by what is selected, the lowest first: their own, a mask's, or those our groups belong to.

    Raises Refusal.
    """
    _refuse_picture(image)
    layers = []
    for drawable in drawables:
        layer = _layer_of(image, drawable)
        if layer not in layers:
            layers.append(layer)
    if not layers:
        raise Refusal("No layer is selected. Select the layer with what you pasted, and try again.")
    for layer in layers:
        _refuse_hidden(layer)
    return sorted(layers, key=lambda layer: place_of(image, layer), reverse=True)


def remark(image: Gimp.Image) -> str:
    """What an artist should know of a picture that can be harmonized all the same; mostly nothing."""
    simulated = image.get_simulation_profile()
    if simulated is not None and simulated.is_cmyk():
        return "This picture simulates CMYK. Colours are matched in its RGB, before the simulation."
    return ""


def _layer_of(image: Gimp.Image, drawable: Gimp.Drawable) -> Gimp.Layer:
    if drawable.is_layer_mask():
        return Gimp.Layer.from_mask(drawable)
    if not drawable.is_layer():
        raise Refusal("A channel is selected. Select the layer with what you pasted, and try again.")
    item = drawable
    while item is not None:
        belongs_to = owner(image, item)
        if belongs_to is not None:
            return belongs_to
        item = item.get_parent()
    return drawable


def _refuse_picture(image: Gimp.Image) -> None:
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        raise Refusal("This picture has indexed colours, which cannot be blended. Choose Image > Mode > RGB first.")
    if image.get_floating_sel() is not None:
        raise Refusal("What you pasted is still floating. Choose Layer > To New Layer (or Anchor Layer) first.")
    if min(image.get_width(), image.get_height()) < smallest_side:
        raise Refusal(f"This picture is too small to tell what fits: it needs {smallest_side} pixels each way.")


def _refuse_hidden(layer: Gimp.Layer) -> None:
    item = layer
    while item is not None:
        if not item.get_visible():
            name = item.get_name()
            raise Refusal(f"'{name}' is hidden. Show it first, so that you see what is changed.")
        item = item.get_parent()
