"""GIMP's .xcf, written without GIMP: the picture, and above it the adjustments as layers an artist can edit.

Flat picture: "Harmonize" (pass-through, mask = foreground) above "Background"; inside it, from below, tone curves and
saturation as effects on empty pass-through groups, light as Multiply and Divide layers, and a white Darken-only layer
that clips highlights before the mask blends. Cut-out: "Harmonize" (normal) holds the cut-out and, above it, the same.
Everything blends display-encoded values. Opens in GIMP 3.0 and later.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from harmonize_engine.curves import Curves
from harmonize_engine.files.atomic import atomic
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.files.xcf.effects import Effect, curves_effect, saturation_effect
from harmonize_engine.files.xcf.image import write_image
from harmonize_engine.files.xcf.layers import Layer, LayeredImage, Mode
from harmonize_engine.files.xcf.tiles import Plane, filled, held, light, white

curves_name, saturation_name = "Harmonize: tone curves", "Harmonize: saturation"
darken_name, brighten_name = "Harmonize: light (darken)", "Harmonize: light (brighten)"
clip_name, limit_name = "Harmonize: clip highlights", "Harmonize: limit to black and white"


def write(picture: LayeredPicture, path: Path) -> None:
    """Write a picture and its adjustments as an .xcf of the picture's own depth, display-encoded as it is.

    Raises HarmonizeError `unsupported_order` where something follows the light map, and what `atomic` raises.
    """
    parameters = ("harmonize", picture.harmonization.to_json().encode())
    profile = () if picture.icc is None else (("icc-profile", picture.icc),)
    group = replace(_harmonize_group(picture), parasites=(parameters,), active=True)
    background = Layer("Background", held(picture.pixels, picture.pixels))
    image = LayeredImage(*picture.size, (group, background), (*profile, parameters), picture.dpi)
    with atomic(path) as file:
        write_image(file, image)


def _harmonize_group(picture: LayeredPicture) -> Layer:
    dtype = picture.pixels.dtype
    if picture.cutout is None:
        return _adjustments(picture, "Harmonize", held(picture.mask, picture.pixels))
    everywhere = white(*picture.size, 1, dtype)
    cutout = Layer("Cut-out", held(picture.cutout, picture.pixels))
    children = (_adjustments(picture, "Harmonize: adjustments", everywhere), cutout)
    return Layer("Harmonize", _no_pixels(dtype), children=children)


def _adjustments(picture: LayeredPicture, name: str, mask: Plane) -> Layer:
    """The pass-through group: what is in it changes all that is beneath it, through its mask."""
    stack = [*_colour_groups(picture), *_light_layers(picture)]
    group = _group(name, picture.pixels.dtype, children=tuple(reversed(stack)))
    return replace(group, visible=picture.visible, mask=mask)


def _colour_groups(picture: LayeredPicture) -> Iterator[Layer]:
    """Curves and saturation, the first to be applied first: each an effect on an empty group of its own.

    An effect's own opacity would blend linear light, the group's blends display-encoded values.
    """
    dtype = picture.pixels.dtype
    if _exceeds_display(picture):
        yield _group(limit_name, dtype, curves_effect(Curves.identity(), limit_name))
    for adjustment in picture.colours:
        if isinstance(adjustment, Curves):
            effect = curves_effect(adjustment, curves_name)
        else:
            effect = saturation_effect(adjustment, saturation_name)
        yield replace(_group(effect.name, dtype, effect), opacity=picture.opacity(adjustment))


def _light_layers(picture: LayeredPicture) -> Iterator[Layer]:
    """Light as layers, from below. The first is always there: a group and its mask are as large as what is inside."""
    (width, height), dtype = picture.size, picture.pixels.dtype
    shading, strength = picture.light, picture.light_strength
    yield Layer(darken_name, light(shading, width, height, dtype, brighten=False), Mode.multiply, strength)
    if shading is not None and shading.brightens:
        yield Layer(brighten_name, light(shading, width, height, dtype, brighten=True), Mode.divide, strength)
        yield Layer(clip_name, white(width, height, 3, dtype), Mode.darken_only)


def _exceeds_display(picture: LayeredPicture) -> bool:
    """Whether a float picture holds values beyond [0,1], which count as 0 and 1 where it is adjusted."""
    pixels = picture.pixels if picture.cutout is None else picture.cutout
    return pixels.dtype == np.float32 and bool(pixels.min() < 0 or pixels.max() > 1)


def _group(name: str, dtype: np.dtype, *effects: Effect, children: tuple[Layer, ...] = ()) -> Layer:
    return Layer(name, _no_pixels(dtype), Mode.pass_through, effects=effects, children=children)


def _no_pixels(dtype: np.dtype) -> Plane:
    """One clear pixel: GIMP draws the pixels of a group itself."""
    return filled(1, 1, 4, dtype, 0)
