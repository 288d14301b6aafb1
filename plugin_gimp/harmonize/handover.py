# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups go into the artist's picture: one step to undo, and all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from earlier import Earlier, take_place
from effects import Effect, insert, nothing_selected, remove
from gi.repository import Gimp
from settings import Settings


@dataclass(frozen=True)
class Prepared:
    """A group in a picture of its own, the effects it is to get, and the group whose place it takes, if there is one."""

    layer: Gimp.Layer
    group: Gimp.GroupLayer
    effects: Sequence[Effect]
    earlier: Earlier | None
    settings: Settings

    def discard(self) -> None:
        """Throw the picture away."""
        self.group.get_image().delete()


def hand_over(image: Gimp.Image, prepared: Sequence[Prepared]) -> None:
    """Insert each group above its layer, or in place of an earlier one, and leave the selected layers as they are."""
    with one_step(image), selected_layers_kept(image), nothing_selected(image):
        inserted = []
        try:
            for one in prepared:
                inserted.append(_insert(image, one))
                insert(image, inserted[-1], one.effects)
            for one, group in zip(prepared, inserted, strict=True):
                if one.earlier is not None:
                    one.earlier.keep_edits(image, group)
                    if not one.settings.replace_edits:
                        one.earlier.keep_looks(group, one.settings.strengths_chosen)
                    take_place(image, one.earlier.group, group)
                else:
                    group.set_expanded(False)  # layers that were put into it have opened it
        except BaseException:
            for group in inserted:
                remove(image, group)
            raise


@contextmanager
def one_step(image: Gimp.Image) -> Iterator[None]:
    """All that happens inside is one step to undo."""
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()


@contextmanager
def selected_layers_kept(image: Gimp.Image) -> Iterator[None]:
    """Whatever layers and channels are selected is selected again."""
    layers, channels = image.get_selected_layers(), image.get_selected_channels()
    try:
        yield
    finally:
        image.set_selected_layers([layer for layer in layers if layer.is_valid()])
        if channels:
            image.set_selected_channels(channels)


def _insert(image: Gimp.Image, one: Prepared) -> Gimp.GroupLayer:
    below = one.earlier.group if one.earlier else one.layer
    inside = Gimp.Layer.new_from_drawable(one.group, image)
    image.insert_layer(inside, below.get_parent(), image.get_item_position(below))
    inside.set_name(one.group.get_name())
    return inside
