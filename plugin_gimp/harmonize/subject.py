# SPDX-License-Identifier: GPL-3.0-or-later
"""One layer to harmonize: what the engine is shown of it, and the group it gets."""

from __future__ import annotations

from types import TracebackType

import mask as masks
from earlier import Earlier
from effects import ToneCurves
from engine_client import Answer, Proxy
from gi.repository import Gimp
from group import Look, edited_curves, made
from handover import Prepared
from pixels import Small, small_copy, small_grey
from record import Record, group_of, recorded, remember
from refusal import Refusal
from scene import Scene
from settings import Settings

opaque = 255


class Subject:
    """A layer, its group from an earlier time if there is one, and a private copy of the picture until it is closed."""

    def __init__(self, image: Gimp.Image, layer: Gimp.Layer, settings: Settings) -> None:
        self.image, self.layer, self.settings = image, layer, settings
        self.name = layer.get_name()
        self.earlier = group_of(image, layer)
        self.parameters, self.record = recorded(self.earlier) if self.earlier else ({}, Record(layer.get_tattoo()))
        self.edits = edited_curves(self.earlier, self.parameters, self.record) if self.earlier else []
        self.scene = Scene(image, layer)
        self.frame = self.scene.frame
        old_mask = self.earlier.get_mask() if self.earlier else None
        self.mask_is_painted = old_mask is not None and masks.checksum(old_mask, self.frame) != self.record.mask
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Subject:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Throw the private copy away."""
        self.scene.__exit__(None, None, None)

    @property
    def keeps_mask(self) -> bool:
        """Whether the mask the artist has painted stays."""
        return not self.settings.replace_edits and self.mask_is_painted

    def prepare(self, answer: Answer, settings: Settings) -> Prepared:
        """Make all that can be made outside the artist's picture."""
        color, light = settings.color_strength, settings.light_strength
        look = Look(answer.harmonization, answer.points, color, light, settings.exact)
        effects = look.effects(self.image.get_base_type() == Gimp.ImageBaseType.GRAY)
        earlier = None
        if self.earlier is not None:
            edits = [] if settings.replace_edits else self.edits
            earlier = Earlier(self.earlier, self.parameters, self.record, edits)
        parameters = earlier.parameters_with(answer.harmonization) if earlier else answer.harmonization
        points = {effect.role: effect.points for effect in effects if isinstance(effect, ToneCurves)}
        group = made(self.image, self.name, look, self._fill)
        checksum = self.record.mask if self.keeps_mask else masks.checksum(group.get_mask(), self.frame)
        remember(group, parameters, Record(self.layer.get_tattoo(), color, light, checksum, points))
        return Prepared(self.layer, group, effects, earlier, settings)

    def _read(self) -> None:
        self.composite = self.scene.small()
        see_through = min(self.composite.alpha) < opaque
        whole = self.scene.visible() if see_through else None
        plate, reference = self._reference(self.scene.beneath())
        self.backdrop = self.scene.isolated_backdrop() or whole
        self.scene.isolate(self.settings.foreground)
        kept = small_grey(self.earlier.get_mask(), self.frame) if self.keeps_mask else b""
        tells = any(kept) and min(kept) < opaque  # one that is all white or all black tells nothing of what was pasted
        self.mask = kept if tells else self._small_mask()
        self._refuse_mask()
        if plate is None and reference is None and see_through:
            reference = bytes(a * (opaque - m) // opaque for a, m in zip(self.composite.alpha, self.mask, strict=True))
        if reference is not None and max(reference) < opaque // 2:
            raise Refusal("There is nothing to match: what should be matched is transparent or not marked.")
        width, height = self.frame.small
        background = None if plate is None else plate.rgb
        self.proxy = Proxy(width, height, self.composite.rgb, self.mask, background, reference)

    def _reference(self, beneath: Small) -> tuple[Small | None, bytes | None]:
        """The background without the foreground, and which part of it is to be matched; None: all of it.

        A layer that covers everything is a flat picture: what it is to match lies around the selection, not beneath.
        """
        choice, layer, channel = self.settings.reference, self.settings.reference_layer, self.settings.reference_channel
        hidden = max(beneath.alpha) < opaque // 2 or (self.scene.selected and min(self.scene.own_alpha()) == opaque)
        plate = None if hidden else beneath
        if choice == "layer":
            if layer is None or layer == self.layer or layer.get_image() != self.image:
                raise Refusal("Choose another layer of this picture as the reference.")
            alone = self.scene.alone(layer)
            return alone, alone.alpha
        if choice == "channel":
            if channel is None or channel.get_image() != self.image:
                raise Refusal("Choose a channel of this picture as the reference; Select > Save to Channel makes one.")
            return plate, small_grey(channel, self.frame)
        return plate, None if plate is None or min(plate.alpha) == opaque else plate.alpha

    def _small_mask(self) -> bytes:
        part = self.scene.small().alpha
        if self.backdrop is None:
            return part
        whole = small_copy(self.backdrop, self.frame).alpha
        return bytes(min(opaque, (opaque * p + w // 2) // w) if w else 0 for p, w in zip(part, whole, strict=True))

    def _refuse_mask(self) -> None:
        if not any(self.mask):
            if self.scene.selected and self.settings.foreground != "layer":
                raise Refusal(f"The selection does not meet '{self.name}'. Select a part of it, or choose Select > None.")
            raise Refusal(f"Nothing of '{self.name}' can be seen: it is transparent or outside the canvas.")
        if min(self.mask) == opaque:
            raise Refusal(f"'{self.name}' covers the whole picture. Select the part that was pasted, and try again.")

    def _fill(self, mask: Gimp.LayerMask) -> None:
        if self.keeps_mask:
            bands = masks.of_mask(self.earlier.get_mask(), self.frame)
        else:
            bands = masks.of_foreground(self.scene.visible(), self.backdrop, self.frame)
        masks.put(mask, bands, self.frame)
