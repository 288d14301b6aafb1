# SPDX-License-Identifier: GPL-3.0-or-later
"""A small .xcf of empty pass-through groups, each with one of GIMP's own effects.

GIMP 3.0 crashes when a plug-in appends such an effect, but reads it from a file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO

version = 22
bytes_of_depth = {1: 1, 2: 2, 3: 4, 5: 2, 6: 4, 7: 8}  # by the hundreds of GIMP's number for a precision
pass_through, replace_mode = 61, 62
auto, linear, display_encoded = 0, 1, 2  # colour spaces of blending
non_linear = 1  # GIMP's number for "the picture's own encoded values"
# Codes of properties
end, opacity, mode, visible, offsets, compression = 0, 6, 7, 8, 15, 17
group, group_flags, float_opacity, composite_mode, composite_space, blend_space = 29, 31, 33, 35, 36, 37
effect_region, effect_argument, effect_clip = 44, 45, 46


@dataclass(frozen=True)
class Effect:
    """An empty group's one effect: an operation of GIMP and its settings as text."""

    name: str
    operation: str
    settings: str


@dataclass(frozen=True)
class Canvas:
    """What the layers must agree with: size, GIMP's number of the precision, whether it is grey."""

    width: int
    height: int
    precision: int
    grey: bool


def effects_picture(canvas: Canvas, effects: list[Effect]) -> bytes:
    """Write a picture with a group for each effect, from the top."""
    file = BytesIO()
    file.write(b"gimp xcf v%03d\0" % version)
    file.write(struct.pack(">4I", canvas.width, canvas.height, int(canvas.grey), canvas.precision))
    file.write(_property(compression, b"\0") + _property(end))
    table = _reserve(file, len(effects) + 3)  # layers, 0; no channels, 0; no paths, 0
    _fill(file, table, [_layer(file, canvas, effect) for effect in effects])
    return file.getvalue()


def _layer(file: BytesIO, canvas: Canvas, effect: Effect) -> int:
    """Write an empty pass-through group of one clear pixel."""
    start = file.tell()
    file.write(struct.pack(">3I", 1, 1, 3 if canvas.grey else 1) + _text(effect.name) + _property(group))
    file.write(_number(opacity, 255) + _property(float_opacity, struct.pack(">f", 1)))
    file.write(_number(visible, 1) + _property(offsets, bytes(8)) + _number(mode, pass_through))
    file.write(_number(blend_space, auto) + _number(composite_space, display_encoded) + _number(composite_mode, 0))
    file.write(_number(group_flags, 0) + _property(end))  # 0: shown closed
    table = _reserve(file, 2 + 1 + 1)  # pixels, no mask, the effect, 0
    pixels = _pixel(file, (2 if canvas.grey else 4) * bytes_of_depth[canvas.precision // 100])
    _fill(file, table, [pixels, 0, _effect(file, effect)])
    return start


def _pixel(file: BytesIO, size: int) -> int:
    start = file.tell()
    level = start + 28
    tile = level + 24
    file.write(struct.pack(">3I2Q", 1, 1, size, level, 0) + struct.pack(">2I2Q", 1, 1, tile, 0) + bytes(size))
    return start


def _effect(file: BytesIO, effect: Effect) -> int:
    start = file.tell()
    file.write(_text(f"Harmonize: {effect.name.lower()}") + _text("gimp-image"))
    file.write(_text(effect.operation) + _text("0:0"))  # 0:0: its version
    file.write(_number(visible, 1) + _number(opacity, 255) + _property(float_opacity, struct.pack(">f", 1)))
    file.write(_number(mode, replace_mode) + _number(blend_space, linear) + _number(composite_space, linear))
    file.write(_number(composite_mode, 1) + _number(effect_clip, 0) + _number(effect_region, 0))
    if effect.operation == "gimp:curves":
        file.write(_property(effect_argument, _text("trc") + struct.pack(">2I", 5, non_linear)))  # 5: one of a list
    file.write(_property(effect_argument, _text("config") + struct.pack(">I", 6) + _text(effect.settings)))  # 6: text
    file.write(_property(end) + bytes(8))  # no mask of its own
    return start


def _property(code: int, payload: bytes = b"") -> bytes:
    return struct.pack(">2I", code, len(payload)) + payload


def _number(code: int, value: int) -> bytes:
    return _property(code, struct.pack(">I", value))


def _text(words: str) -> bytes:
    encoded = words.encode() + b"\0"
    return struct.pack(">I", len(encoded)) + encoded


def _reserve(file: BytesIO, count: int) -> int:
    """Leave room for offsets that are not known yet; returns where they go."""
    start = file.tell()
    file.write(bytes(8 * count))
    return start


def _fill(file: BytesIO, table: int, places: list[int]) -> None:
    file.seek(table)
    file.write(struct.pack(f">{len(places)}Q", *places))
    file.seek(0, 2)
