# SPDX-License-Identifier: GPL-3.0-or-later
"""A private copy of the picture, where layers can be hidden and moved about without the artist noticing."""

from __future__ import annotations

from types import TracebackType

from gi.repository import Gegl, Gimp
from pixels import Frame, Small, codes, depth, nowhere, small_copy
from record import every, group_of, place_of
from refusal import Refusal
from thumbnail import is_exact, thumbnail


class Scene:
    """The picture from the bottom up to one layer, in a copy that is thrown away at the end."""

    def __init__(self, image: Gimp.Image, layer: Gimp.Layer) -> None:
        self.frame = Frame(image.get_width(), image.get_height())
        self.name = layer.get_name()
        self.selected = not Gimp.Selection.is_empty(image)
        place, ours = place_of(image, layer), group_of(image, layer)
        own = None if ours is None else place_of(image, ours)
        self.shown: list[Gimp.Layer] = []
        self.quick = is_exact(image, self.frame)
        self.copy = image.duplicate()
        if own is not None:
            _at(self.copy, own).set_visible(False)
        if self.quick:
            self.small()  # at once: GIMP would begin to render the copy in full size, and keep us waiting
        self.copy.undo_disable()
        self.layer = _at(self.copy, place)
        for each in every(self.copy.get_layers()):
            if each.get_mask() is not None:
                each.set_show_mask(False)
        self._hide_above()

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for layer in self.shown:
            layer.delete()
        self.copy.delete()

    def visible(self) -> Gimp.Layer:
        """What is visible now, in full size; at first everything up to the layer."""
        self.shown.append(Gimp.Layer.new_from_visible(self.copy, self.copy, ""))
        return self.shown[-1]

    def small(self) -> Small:
        """What is visible now, in small."""
        if self.quick:
            return thumbnail(self.copy, self.frame)
        self.visible()
        try:
            return small_copy(self.shown[-1], self.frame)
        finally:
            self.shown.pop().delete()

    def own_alpha(self) -> bytes:
        """What shows of the layer, whatever is selected, in small."""
        self._only(self.layer)
        return self.small().alpha

    def beneath(self) -> Small:
        """Everything visible beneath the layer. The layer stays hidden until `isolate`."""
        self.layer.set_visible(False)
        return self.small()

    def alone(self, layer: Gimp.Layer) -> Small:
        """Another layer of the picture on its own."""
        twin = _at(self.copy, place_of(layer.get_image(), layer))
        self._only(twin)
        twin.set_mode(Gimp.LayerMode.NORMAL)
        return self.small()

    def isolated_backdrop(self) -> Gimp.Layer | None:
        """What the layer's own group holds up to it, where that group is blended by itself; else None."""
        scope = self.layer.get_parent()
        while scope is not None and scope.get_mode() == Gimp.LayerMode.PASS_THROUGH:
            scope = scope.get_parent()
        if scope is None:
            return None
        self.layer.set_visible(True)
        shown = [child for child in scope.get_children() if child.get_visible()]
        self._only(shown[0])
        for child in shown:
            child.set_visible(True)
        return self.visible()

    def isolate(self, use: str) -> None:
        """Leave only what of the layer reaches its group: its alpha, layer mask, opacity, and the selection.

        use: "auto"; "layer" leaves the selection aside; "selection" the layer's own shape.
        """
        if use == "selection" and not self.selected:
            raise Refusal("Nothing is selected. Select what you pasted, or let the layer's shape tell it.")
        layer = self._white() if use == "selection" else self.layer
        self._only(layer)
        layer.set_mode(Gimp.LayerMode.NORMAL)
        if self.selected and use != "layer":
            group = Gimp.GroupLayer.new(self.copy, "")
            self.copy.insert_layer(group, layer.get_parent(), self.copy.get_item_position(layer))
            self.copy.reorder_item(layer, group, 0)
            group.add_mask(group.create_mask(Gimp.AddMaskType.SELECTION))

    def _white(self) -> Gimp.Layer:
        grey = self.copy.get_base_type() == Gimp.ImageBaseType.GRAY
        kind = Gimp.ImageType.GRAYA_IMAGE if grey else Gimp.ImageType.RGBA_IMAGE
        white = Gimp.Layer.new(self.copy, "", self.frame.width, self.frame.height, kind, 100, Gimp.LayerMode.NORMAL)
        white.fill(Gimp.FillType.WHITE)
        self.copy.insert_layer(white, None, 0)
        return white

    def _hide_above(self) -> None:
        item = self.layer
        while item is not None:
            for sibling in _siblings(self.copy, item)[: self.copy.get_item_position(item)]:
                sibling.set_visible(False)
            item = item.get_parent()

    def _only(self, layer: Gimp.Layer) -> None:
        """Hide everything that is not the layer, and let its groups show it as it is."""
        item = layer
        while item is not None:
            for sibling in _siblings(self.copy, item):
                sibling.set_visible(sibling == item)
            item = item.get_parent()
            if item is not None:
                _bare(item)


def _bare(group: Gimp.Layer) -> None:
    """Take from a group what changes the look of its layers."""
    group.set_opacity(100)
    group.set_mode(Gimp.LayerMode.NORMAL)
    if group.get_mask() is not None:
        group.remove_mask(Gimp.MaskApplyMode.DISCARD)


def _siblings(image: Gimp.Image, item: Gimp.Layer) -> list[Gimp.Layer]:
    parent = item.get_parent()
    return image.get_layers() if parent is None else parent.get_children()


def _at(image: Gimp.Image, place: tuple[int, ...]) -> Gimp.Layer:
    layers = image.get_layers()
    for position in place[:-1]:
        layers = layers[position].get_children()
    return layers[place[-1]]


def alpha(shown: Gimp.Layer, area: Gegl.Rectangle) -> bytes:
    """The alpha numbers of an area, as they are stored."""
    numbers = shown.get_buffer().get(area, 1.0, None, nowhere)
    channels = 2 if shown.is_gray() else 4
    return memoryview(numbers).cast(codes[depth(shown)])[channels - 1 :: channels].tobytes()
