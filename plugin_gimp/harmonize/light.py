# SPDX-License-Identifier: GPL-3.0-or-later
"""The light map as layers: Multiply where it darkens, Divide where it brightens."""

from __future__ import annotations

import array
import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from gi.repository import Gegl, Gimp
from pixels import Frame, depth, nowhere, rectangle

unchanged = 16384  # what the wire's 16-bit numbers call a gain of 1
finest = 512  # cells each way of the map from which layers are made
types = {"u8": "u8", "u16": "u16"}  # of the numbers that are written; floats everywhere else


@dataclass(frozen=True)
class LightMap:
    """Gains over the whole canvas, row by row: 1 leaves a pixel as it is. Cells are read with half-pixel centres."""

    width: int
    height: int
    gains: Sequence[float]

    @classmethod
    def read(cls, adjustment: dict) -> LightMap:
        """Read a `shading` of harmonize/1."""
        cells = base64.b64decode(adjustment["gain"])
        numbers = struct.unpack(f"<{len(cells) // 2}H", cells)
        return cls(adjustment["width"], adjustment["height"], [number / unchanged for number in numbers])

    @property
    def brightens(self) -> bool:
        """Whether some gain is above 1."""
        return max(self.gains) > 1

    def finer(self, frame: Frame) -> LightMap:
        """The same map on a grid so fine that its parts above and below 1 may be spread over the canvas apart.

        An odd number of times, so that the centres of the cells, where the map bends, are on the new grid too.
        """
        times = max(1, min(9, finest // max(self.width, self.height), frame.width // self.width))
        times -= 1 - times % 2
        width, height = self.width * times, self.height * times
        numbers = array.array("f")
        numbers.frombytes(spread(self, width, height).get(rectangle(width, height), 1.0, "Y float", nowhere))
        return LightMap(width, height, numbers)

    def darkening(self) -> LightMap:
        """What a Multiply layer holds."""
        return LightMap(self.width, self.height, [min(gain, 1.0) for gain in self.gains])

    def brightening(self) -> LightMap:
        """What a Divide layer holds."""
        return LightMap(self.width, self.height, [1 / gain if gain > 1 else 1.0 for gain in self.gains])


def spread(light: LightMap, width: int, height: int) -> Gegl.Buffer:
    """Up-sample a map, linear between centres, its border repeated. The numbers are tagged linear to be left alone."""
    Gegl.init(None)
    cells = Gegl.Buffer.new("Y float", 0, 0, light.width, light.height)
    numbers = array.array("f", light.gains)
    cells.set(rectangle(light.width, light.height), "Y float", numbers.tobytes())
    result = Gegl.Buffer.new("Y float", 0, 0, width, height)
    graph = Gegl.Node()
    source, scale, write = (graph.create_child(f"gegl:{name}") for name in ("buffer-source", "scale-size", "write-buffer"))
    source.set_property("buffer", cells)
    scale.set_property("x", float(width))
    scale.set_property("y", float(height))
    scale.set_property("sampler", Gegl.SamplerType.LINEAR)
    scale.set_property("abyss-policy", Gegl.AbyssPolicy.CLAMP)
    write.set_property("buffer", result)
    source.link(scale)
    scale.link(write)
    write.process()
    return result


def paint(layer: Gimp.Layer, light: LightMap, frame: Frame) -> None:
    """Fill a layer of a display-encoded picture without a profile with the numbers of a map."""
    numbers, buffer = spread(light, frame.width, frame.height), layer.get_buffer()
    kind = types.get(depth(layer), "float")
    for area in frame.bands():
        buffer.set(area, f"Y' {kind}", numbers.get(area, 1.0, f"Y {kind}", nowhere))
    buffer.flush()
    layer.update(0, 0, frame.width, frame.height)
