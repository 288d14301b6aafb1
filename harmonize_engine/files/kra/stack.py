"""The layer stack of a .kra: the artist's picture, and the group "Harmonize" above it."""

from collections.abc import Iterator

import numpy as np

from harmonize_engine.curves import Curves
from harmonize_engine.files.kra.filters import curves_filter, saturation_filter
from harmonize_engine.files.kra.layers import Layer
from harmonize_engine.files.kra.planes import Depth, coloured, covered, grey, light
from harmonize_engine.files.kra.tiles import TiledPixels
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.shading import Shading

curves_name, saturation_name = "Harmonize: tone curves", "Harmonize: saturation"
darken_name, brighten_name, light_name = "Harmonize: light (darken)", "Harmonize: light (brighten)", "Harmonize: light"
black_name, white_name = "Harmonize: limit to black", "Harmonize: limit to white"
clip_name = "Harmonize: clip highlights"

tone_tolerance: dict[Depth, float] = {np.uint8: 0.5 / 255, np.uint16: 0.1 / 255, np.float32: 0.1 / 255}
just_inside = 1e-7  # away from 0 and 1, in float32


def stack(picture: LayeredPicture) -> tuple[Layer, ...]:
    """The layers of a .kra, top first.

    A flat picture stays visible below the group, whose clone of it a mask cuts out. Of a cut-out, the artist's own layer
    is hidden while the group is shown: the clone in the group replaces it.
    """
    depth = picture.pixels.dtype.type
    background = Layer("paintlayer", "Background", pixels=coloured(picture.pixels, depth))
    if picture.cutout is None:
        masks = (Layer("transparencymask", "Foreground", pixels=covered(picture.mask)),)
        clone = Layer("clonelayer", "Background (harmonized)", source=background, children=masks)
        return (_group(picture, clone), background)
    cutout = Layer("paintlayer", "Cut-out", visible=not picture.visible, pixels=coloured(picture.cutout, depth))
    clone = Layer("clonelayer", "Cut-out (harmonized)", source=cutout)
    return (_group(picture, clone), cutout, background)


def _group(picture: LayeredPicture, clone: Layer) -> Layer:
    layers = [clone, *_colour_layers(picture)]
    if picture.light is not None:
        layers += _light_layers(picture, picture.light)
    depth = picture.pixels.dtype.type
    if depth is np.float32:
        layers.append(Layer("paintlayer", clip_name, 1, "darken", inherit_alpha=True, pixels=grey(1, depth)))
    return Layer(
        "grouplayer",
        "Harmonize",
        visible=picture.visible,
        inherit_alpha=picture.cutout is None and picture.pixels.shape[2] == 4,  # see-through stays as much so
        children=tuple(reversed(layers)),
    )


def _colour_layers(picture: LayeredPicture) -> Iterator[Layer]:
    """Filter layers, from below."""
    depth = picture.pixels.dtype.type
    for adjustment in picture.colours:
        if isinstance(adjustment, Curves):
            if depth is np.float32:
                yield from _limits(depth)
            name, own = curves_name, curves_filter(adjustment, tone_tolerance[depth])
        else:
            name, own = saturation_name, saturation_filter(adjustment)
        # the mode "normal" would thicken soft edges
        yield Layer("adjustmentlayer", name, picture.opacity(adjustment), "copy", filter=own)


def _limits(depth: Depth) -> Iterator[Layer]:
    """Keep all values just inside: in a float document Krita's curves leave 0 and less, 1 and more as they are."""
    for name, blend, value in ((black_name, "lighten", just_inside), (white_name, "darken", 1 - just_inside)):
        yield Layer("paintlayer", name, 1, blend, inherit_alpha=True, pixels=grey(value, depth))


def _light_layers(picture: LayeredPicture, shading: Shading) -> Iterator[Layer]:
    """Light as grey layers, from below; white changes nothing in either."""
    (width, height), depth = picture.size, picture.pixels.dtype.type

    def layer(name: str, blend: str, pixels: TiledPixels) -> Layer:
        return Layer("paintlayer", name, picture.light_strength, blend, inherit_alpha=True, pixels=pixels)

    if depth is np.float32:
        yield layer(light_name, "multiply", light(shading, width, height, depth, lambda gain: gain))
        return
    if shading.gain.min() < 1:
        yield layer(darken_name, "multiply", light(shading, width, height, depth, lambda gain: np.minimum(gain, 1)))
    if shading.brightens:
        yield layer(brighten_name, "divide", light(shading, width, height, depth, lambda gain: 1 / np.maximum(gain, 1)))
