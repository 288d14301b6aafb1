"""A layered image as the bytes of an .xcf: properties, layers, masks and effects, with 64-bit offsets."""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import IO

import numpy as np

from harmonize_engine.files.xcf.effects import Effect
from harmonize_engine.files.xcf.layers import Layer, LayeredImage, Mode, Space
from harmonize_engine.files.xcf.tiles import Plane, write_plane

version = 22  # what GIMP 3.0 and 3.2 write for pictures with effects
precisions = {np.dtype(np.uint8): 150, np.dtype(np.uint16): 250, np.dtype(np.float32): 650}  # display-encoded
zlib_tiles = 2
saved_and_undoable = 3  # flags of a parasite
inch = 1
replace_mode = 62  # how an effect meets its layer
dpi_range = 0.005, 1048576.0  # what GIMP takes


class Property(IntEnum):
    """Codes of the properties written here."""

    end = 0
    active_layer = 2
    opacity = 6
    mode = 7
    visible = 8
    apply_mask = 11
    offsets = 15
    compression = 17
    resolution = 19
    parasites = 21
    unit = 22
    group = 29
    item_path = 30
    group_flags = 31
    float_opacity = 33
    composite_mode = 35
    composite_space = 36
    blend_space = 37
    effect_region = 44
    effect_argument = 45
    effect_clip = 46


def write_image(file: IO[bytes], image: LayeredImage) -> None:
    """Write a whole .xcf to a file that can seek; tiles are compressed one at a time."""
    dtype = image.layers[0].plane.dtype
    file.write(b"gimp xcf v%03d\0" % version)
    file.write(struct.pack(">4I", image.width, image.height, 0, precisions[dtype]))  # 0: RGB
    file.write(_property(Property.compression, bytes([zlib_tiles])))
    if image.dpi is not None and all(dpi_range[0] <= dpi <= dpi_range[1] for dpi in image.dpi):
        file.write(_property(Property.resolution, struct.pack(">2f", *image.dpi)) + _number(Property.unit, inch))
    file.write(_parasites(image.parasites) + _property(Property.end))
    placed = list(_placed(image.layers, ()))
    table = _reserve(file, len(placed) + 3)  # layers, 0; no channels, 0; no paths, 0
    _fill(file, table, [_write_layer(file, layer, place) for layer, place in placed])


def _placed(layers: tuple[Layer, ...], parent: tuple[int, ...]) -> Iterator[tuple[Layer, tuple[int, ...]]]:
    """Every layer, groups before what they hold, with the path of positions that leads to it."""
    for position, layer in enumerate(layers):
        place = (*parent, position)
        yield layer, place
        yield from _placed(layer.children or (), place)


def _write_layer(file: IO[bytes], layer: Layer, place: tuple[int, ...]) -> int:
    start = file.tell()
    kind = 1 if layer.plane.channels == 4 else 0  # RGBA, RGB
    file.write(struct.pack(">3I", layer.plane.width, layer.plane.height, kind) + _text(layer.name))
    file.write(_layer_properties(layer, place))
    table = _reserve(file, 2 + len(layer.effects) + 1)  # pixels, mask, effects, 0
    pixels = file.tell()
    write_plane(file, layer.plane)
    mask = 0 if layer.mask is None else _write_mask(file, layer.mask, f"{layer.name} mask")
    effects = [_write_effect(file, effect) for effect in layer.effects]
    _fill(file, table, [pixels, mask, *effects])
    return start


def _layer_properties(layer: Layer, place: tuple[int, ...]) -> bytes:
    written = b""
    if layer.children is not None:
        written += _property(Property.group)
    if len(place) > 1:
        written += _property(Property.item_path, struct.pack(f">{len(place)}I", *place))
    if layer.active:
        written += _property(Property.active_layer)
    written += _opacity(layer.opacity) + _number(Property.visible, layer.visible)
    written += _number(Property.apply_mask, layer.mask is not None)
    written += _property(Property.offsets, bytes(8))
    blend = Space.auto if layer.mode == Mode.pass_through else layer.space
    written += _number(Property.mode, layer.mode) + _number(Property.blend_space, blend)
    written += _number(Property.composite_space, layer.space) + _number(Property.composite_mode, 0)  # 0: the mode's own
    if layer.children is not None:
        written += _number(Property.group_flags, 1)  # shown opened
    return written + _parasites(layer.parasites) + _property(Property.end)


def _write_mask(file: IO[bytes], mask: Plane, name: str) -> int:
    start = file.tell()
    file.write(struct.pack(">2I", mask.width, mask.height) + _text(name))
    file.write(_opacity(1) + _number(Property.visible, 1) + _property(Property.end))
    file.write(struct.pack(">Q", file.tell() + 8))
    write_plane(file, mask)
    return start


def _write_effect(file: IO[bytes], effect: Effect) -> int:
    start = file.tell()
    file.write(_text(effect.name) + _text("gimp-image") + _text(effect.operation) + _text("0:0"))  # 0:0: its version
    file.write(_number(Property.visible, 1) + _opacity(1) + _number(Property.mode, replace_mode))
    file.write(_number(Property.blend_space, Space.linear) + _number(Property.composite_space, Space.linear))
    file.write(_number(Property.composite_mode, 1))  # union; an opaque effect without a mask needs no blending
    file.write(_number(Property.effect_clip, 0) + _number(Property.effect_region, 0))
    if effect.transfer is not None:
        argument = _text("trc") + struct.pack(">2I", 5, effect.transfer)  # 5: one of a list
        file.write(_property(Property.effect_argument, argument))
    argument = _text("config") + struct.pack(">I", 6) + _text(effect.settings)  # 6: settings as text
    file.write(_property(Property.effect_argument, argument) + _property(Property.end))
    file.write(bytes(8))  # no mask of its own
    return start


def _opacity(opacity: float) -> bytes:
    precise = _property(Property.float_opacity, struct.pack(">f", opacity))
    return _number(Property.opacity, round(255 * opacity)) + precise


def _parasites(parasites: tuple[tuple[str, bytes], ...]) -> bytes:
    payload = b"".join(
        _text(name) + struct.pack(">2I", saved_and_undoable, len(content)) + content for name, content in parasites
    )
    return _property(Property.parasites, payload) if parasites else b""


def _property(code: Property, payload: bytes = b"") -> bytes:
    return struct.pack(">2I", code, len(payload)) + payload


def _number(code: Property, value: int) -> bytes:
    return _property(code, struct.pack(">I", value))


def _text(words: str) -> bytes:
    encoded = words.encode() + b"\0"
    return struct.pack(">I", len(encoded)) + encoded


def _reserve(file: IO[bytes], offsets: int) -> int:
    """Leave room for offsets that are not known yet; returns where they go."""
    start = file.tell()
    file.write(bytes(8 * offsets))
    return start


def _fill(file: IO[bytes], table: int, offsets: list[int]) -> None:
    end = file.tell()
    file.seek(table)
    file.write(struct.pack(f">{len(offsets)}Q", *offsets))
    file.seek(end)
