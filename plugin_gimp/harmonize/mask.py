# SPDX-License-Identifier: GPL-3.0-or-later
"""The foreground's mask in full size, in the numbers that the group's layer mask stores."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from gi.repository import Gegl, Gimp
from pixels import Frame, codes, depth, encoding, nowhere, rectangle, small_grey
from scene import alpha

Band = tuple[Gegl.Rectangle, bytes]


def of_foreground(shown: Gimp.Layer, backdrop: Gimp.Layer | None, frame: Frame) -> Iterator[Band]:
    """How much of each pixel of a picture is the foreground, band by band.

    shown: the foreground on its own; backdrop: all that its group holds up to it, None where that is opaque. Over a
    transparent backdrop the foreground's share is its alpha by the alpha of both.
    """
    for area in frame.bands():
        numbers = alpha(shown, area)
        if backdrop is not None:
            numbers = _divided(numbers, alpha(backdrop, area), depth(shown), area)
        yield area, numbers


def of_mask(mask: Gimp.LayerMask, frame: Frame) -> Iterator[Band]:
    """The numbers of a layer mask, which may lie anywhere on the canvas, band by band."""
    _, x, y = mask.get_offsets()
    for area in frame.bands():
        place = rectangle(area.width, area.height, area.x - x, area.y - y)
        yield area, mask.get_buffer().get(place, 1.0, None, nowhere)


def put(mask: Gimp.LayerMask, bands: Iterator[Band], frame: Frame) -> None:
    """Fill a layer mask of the canvas's size."""
    buffer, stored = mask.get_buffer(), encoding(mask)
    for area, numbers in bands:
        buffer.set(area, stored, numbers)
    buffer.flush()
    mask.update(0, 0, frame.width, frame.height)


def checksum(mask: Gimp.LayerMask, frame: Frame) -> int:
    """Tell one mask from another by a small copy of it."""
    return zlib.crc32(small_grey(mask, frame))


def _divided(part: bytes, whole: bytes, kind: str, area: Gegl.Rectangle) -> bytes:
    """part / whole, 0 where the whole is 0."""
    if part == whole:
        return _ones(whole, kind)
    size = rectangle(area.width, area.height)
    graph, ends = Gegl.Node(), []
    for numbers in (part, whole):
        buffer = Gegl.Buffer.new(f"Y {kind}", 0, 0, area.width, area.height)
        buffer.set(size, f"Y {kind}", numbers)
        source = graph.create_child("gegl:buffer-source")
        source.set_property("buffer", buffer)
        ends.append(source)
    result = Gegl.Buffer.new("Y float", 0, 0, area.width, area.height)
    divide, write = graph.create_child("gegl:divide"), graph.create_child("gegl:write-buffer")
    write.set_property("buffer", result)
    ends[0].link(divide)
    ends[1].connect_to("output", divide, "aux")
    divide.link(write)
    write.process()
    return result.get(size, 1.0, f"Y {kind}", nowhere)


def _ones(numbers: bytes, kind: str) -> bytes:
    """White, which is what the foreground's share is where nothing else is there."""
    pixels = len(memoryview(numbers).cast(codes[kind]))
    buffer = Gegl.Buffer.new(f"Y {kind}", 0, 0, 1, 1)
    buffer.set(rectangle(1, 1), "Y float", b"\0\0\x80\x3f")
    return bytes(buffer.get(rectangle(1, 1), 1.0, None, nowhere)) * pixels
