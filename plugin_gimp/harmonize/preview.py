# SPDX-License-Identifier: GPL-3.0-or-later
"""The small picture as it will look. GEGL does the arithmetic, on numbers tagged linear so that it leaves them alone."""

from __future__ import annotations

from colorsys import hls_to_rgb, rgb_to_hls

import curves
from engine_client import Proxy
from gi.repository import Gegl
from light import LightMap, spread
from pixels import nowhere, rectangle


def recoloured(rgb: bytes, adjustments: list[dict], grey: bool) -> bytes:
    """Send 8-bit colours through curves and saturation in full strength. No GIMP here: a thread may do it."""
    for adjustment in adjustments:
        if adjustment["kind"] == "curves":
            of_channel = curves.tables(adjustment, grey)
            changed = bytearray(len(rgb))
            for place, name in enumerate(curves.colours):
                table = of_channel["value"] if grey else of_channel[name]
                changed[place::3] = rgb[place::3].translate(bytes(round(255 * y) for y in table))
            rgb = bytes(changed)
        elif adjustment["kind"] == "saturation" and not grey:
            rgb = _saturated(rgb, adjustment["amount"], adjustment.get("strength", 1.0))
    return rgb


class Preview:
    """A composite, its mask and what an answer makes of it, ready to be shown at any strength."""

    def __init__(
        self, size: tuple[int, int], composite: bytes, mask: bytes, changed: bytes, light: LightMap | None
    ) -> None:
        self.size, self.before = size, composite
        self.graph = Gegl.Node()
        below, colours = self._plane("RGB u8", composite), self._plane("RGB u8", changed)
        gains = self._source(spread(light or LightMap(1, 1, [1.0]), *size))
        ones = self._source(spread(LightMap(1, 1, [1.0]), *size))
        self.color, self.light = self._node("mix", below, colours), self._node("mix", ones, gains)
        lit = self._node("multiply", self.color, self.light)
        clipped = self._node("rgb-clip", lit)
        masked = self._node("opacity", clipped, self._plane("Y u8", mask))
        whole = self._node("over", below, masked)
        self.result = Gegl.Buffer.new("RGB u8", 0, 0, *size)
        self.write = self._node("write-buffer", whole)
        self.write.set_property("buffer", self.result)

    @classmethod
    def of(cls, proxy: Proxy, changed: bytes, adjustments: list[dict]) -> Preview:
        """Of what the engine was shown, its colours changed in full strength, and the light that comes last."""
        light = LightMap.read(adjustments[-1]) if adjustments and adjustments[-1]["kind"] == "shading" else None
        return cls((proxy.width, proxy.height), proxy.composite, proxy.mask, changed, light)

    def after(self, color_strength: float, light_strength: float) -> bytes:
        """The result as 8-bit RGB; strengths 0..1."""
        self.color.set_property("ratio", color_strength)
        self.light.set_property("ratio", light_strength)
        self.write.process()
        return bytes(self.result.get(rectangle(*self.size), 1.0, "RGB u8", nowhere))

    def _plane(self, kind: str, numbers: bytes) -> Gegl.Node:
        buffer = Gegl.Buffer.new(kind, 0, 0, *self.size)
        buffer.set(rectangle(*self.size), kind, numbers)
        return self._source(buffer)

    def _source(self, buffer: Gegl.Buffer) -> Gegl.Node:
        source = self.graph.create_child("gegl:buffer-source")
        source.set_property("buffer", buffer)
        return source

    def _node(self, operation: str, below: Gegl.Node, above: Gegl.Node | None = None) -> Gegl.Node:
        node = self.graph.create_child(f"gegl:{operation}")
        below.link(node)
        if above is not None:
            above.connect_to("output", node, "aux")
        return node


def _saturated(rgb: bytes, amount: float, strength: float) -> bytes:
    """HSL saturation times 1 + amount; the same colours come again and again, so each is worked out once."""
    pixels = list(zip(rgb[0::3], rgb[1::3], rgb[2::3], strict=True))
    known = {}
    for pixel in set(pixels):
        hue, lightness, saturation = rgb_to_hls(*(v / 255 for v in pixel))
        changed = hls_to_rgb(hue, lightness, min(1.0, saturation * (1 + amount)))
        known[pixel] = bytes(round(v + strength * (255 * c - v)) for v, c in zip(pixel, changed, strict=True))
    return b"".join(map(known.__getitem__, pixels))
