# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of a drawable as GIMP stores them, and small copies of it in 8 bits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gi.repository import Babl, Gegl, Gimp

codes = {"u8": "B", "u16": "H", "u32": "I", "half": "H", "float": "I", "double": "Q"}  # as bits, for moving about
long_side, least_long_side = 512, 480  # of what the engine looks at
band_pixels = 1 << 21  # read and written at a time
nowhere = Gegl.AbyssPolicy.NONE


@dataclass(frozen=True)
class Small:
    """A small copy: 8-bit display-encoded RGB and alpha, rows from the top."""

    rgb: bytes
    alpha: bytes


@dataclass(frozen=True)
class Frame:
    """The canvas in full and in small."""

    width: int
    height: int

    @property
    def share(self) -> float:
        """Small per full-size pixel; both sides of the small copy lie inside the canvas."""
        width, height = self.small
        return max(width / self.width, height / self.height)

    @property
    def small(self) -> tuple[int, int]:
        """Width and height of the small copy: in the canvas's own proportions, where whole pixels near 512 have them."""
        longest, step = max(self.width, self.height), math.gcd(self.width, self.height)
        if longest <= long_side:
            return self.width, self.height
        times = long_side * step // longest
        if times * longest >= least_long_side * step:
            return self.width // step * times, self.height // step * times
        share = long_side / longest
        return max(1, round(self.width * share)), max(1, round(self.height * share))

    def bands(self) -> list[Gegl.Rectangle]:
        """The canvas in horizontal bands."""
        rows = max(1, band_pixels // self.width)
        return [rectangle(self.width, min(rows, self.height - top), 0, top) for top in range(0, self.height, rows)]


def rectangle(width: int, height: int, x: int = 0, y: int = 0) -> Gegl.Rectangle:
    """A rectangle of pixels."""
    return Gegl.Rectangle.new(x, y, width, height)


def encoding(drawable: Gimp.Drawable) -> str:
    """How a drawable's numbers are stored, like "R'G'B'A u8", without the colour space."""
    return Babl.format_get_encoding(drawable.get_format())


def depth(drawable: Gimp.Drawable) -> str:
    """The type of a drawable's numbers: u8, u16, u32, half, float or double."""
    return encoding(drawable).split()[1]


def small_copy(drawable: Gimp.Drawable, frame: Frame) -> Small:
    """Shrink a drawable of the canvas's size to 8 bits in the picture's own display encoding (its profile's curve).

    Only numbers are read: asked for sRGB, GIMP would convert from the picture's profile.
    """
    size, stored = frame.small, encoding(drawable)
    numbers = drawable.get_buffer().get(rectangle(*size), frame.share, None, nowhere)
    if "'" not in stored:
        stored, numbers = _display_encoded(drawable, stored, numbers, size)
    return separated(recoded(numbers, stored, "R'G'B'A u8", size))


def separated(rgba: bytes) -> Small:
    """Part 8-bit RGBA into colours and alpha."""
    rgb = bytearray(3 * len(rgba) // 4)
    for channel in range(3):
        rgb[channel::3] = rgba[channel::4]
    return Small(bytes(rgb), rgba[3::4])


def small_grey(drawable: Gimp.Drawable, frame: Frame) -> bytes:
    """Shrink a mask, a channel or the selection to 8 bits; it may lie anywhere on the canvas."""
    _, x, y = drawable.get_offsets()
    size, share = frame.small, frame.share
    place = rectangle(*size, -round(x * share), -round(y * share))
    numbers = drawable.get_buffer().get(place, share, None, nowhere)
    stored = encoding(drawable)
    return recoded(numbers, stored, stored.split()[0] + " u8", size)


def recoded(numbers: bytes, stored: str, wanted: str, size: tuple[int, int]) -> bytes:
    """Change the type or the order of numbers."""
    if stored == wanted:
        return bytes(numbers)
    whole = rectangle(*size)
    buffer = Gegl.Buffer.new(stored, 0, 0, *size)
    buffer.set(whole, stored, numbers)
    return bytes(buffer.get(whole, 1.0, wanted, nowhere))


def gamma(precision: Gimp.Precision) -> Gimp.Precision:
    """The precision of the same depth whose numbers are display-encoded."""
    return Gimp.Precision(int(precision) // 100 * 100 + 50)


def _display_encoded(drawable: Gimp.Drawable, stored: str, numbers: bytes, size: tuple[int, int]) -> tuple[str, bytes]:
    """Encode linear numbers by the picture's own profile, which a small picture of that profile does best."""
    image = drawable.get_image()
    small = Gimp.Image.new_with_precision(*size, image.get_base_type(), image.get_precision())
    try:
        small.undo_disable()
        grey = image.get_base_type() == Gimp.ImageBaseType.GRAY
        kind = Gimp.ImageType.GRAYA_IMAGE if grey else Gimp.ImageType.RGBA_IMAGE
        layer = Gimp.Layer.new(small, "", *size, kind, 100, Gimp.LayerMode.NORMAL)
        small.insert_layer(layer, None, 0)
        buffer = layer.get_buffer()
        buffer.set(rectangle(*size), stored, numbers)  # no profile yet: the numbers go in as they are
        buffer.flush()
        layer.update(0, 0, *size)
        if image.get_color_profile() is not None:
            small.set_color_profile(image.get_color_profile())
        small.convert_precision(gamma(image.get_precision()))
        shown = small.get_layers()[0]
        return encoding(shown), shown.get_buffer().get(rectangle(*size), 1.0, None, nowhere)
    finally:
        small.delete()
