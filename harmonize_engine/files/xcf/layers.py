"""Layers and groups of an .xcf as values."""

from dataclasses import dataclass
from enum import IntEnum

from harmonize_engine.files.xcf.effects import Effect
from harmonize_engine.files.xcf.tiles import Plane


class Mode(IntEnum):
    """How a layer meets what is beneath it."""

    normal = 28
    multiply = 30
    darken_only = 35
    divide = 41
    pass_through = 61


class Space(IntEnum):
    """The values in which a layer is blended."""

    auto = 0
    linear = 1
    display_encoded = 2


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer, or a group where children are given, top first; an empty group is one too.

    plane: its pixels; GIMP draws a group's anew, so that any small plane will do there. mask: as large as the layer.
    """

    name: str
    plane: Plane
    mode: Mode = Mode.normal
    opacity: float = 1.0
    visible: bool = True
    space: Space = Space.display_encoded
    mask: Plane | None = None
    effects: tuple[Effect, ...] = ()
    children: tuple["Layer", ...] | None = None
    parasites: tuple[tuple[str, bytes], ...] = ()
    active: bool = False


@dataclass(frozen=True, eq=False)
class LayeredImage:
    """A whole .xcf: size, layers, top first, and what belongs to the picture; dpi: horizontal, vertical."""

    width: int
    height: int
    layers: tuple[Layer, ...]
    parasites: tuple[tuple[str, bytes], ...] = ()
    dpi: tuple[float, float] | None = None
