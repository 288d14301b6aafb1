# SPDX-License-Identifier: GPL-3.0-or-later
"""Which native layers a harmonization needs, lowest first."""

from . import light, tones
from .qt import i18n
from .refusal import Refusal
from .seed import Leaf

tones_role, saturation_role = "curves", "saturation"
solid = "solid"  # makes a layer's soft edges opaque, where the group takes its alpha from beneath
black, white, clip = "black", "white", "clip"  # limits of float documents
colours, lights = (tones_role, saturation_role), (light.darken, light.brighten, light.both)
just_inside = {"F16": (1e-7, 1 - 2**-11), "F32": (1e-7, 1 - 1e-7)}  # next to 0 and 1


def of(wish, space):
    """The layers for a harmonization in a document's colour space; raises Refusal for kinds that layers cannot show."""
    adjustments, leaves = wish.harmonization["adjustments"], []
    for number, adjustment in enumerate(adjustments):
        kind = adjustment["kind"]
        if kind == "curves":
            points = wish.points[number] if wish.points else None
            leaves += [*limits(space), tone_curves(adjustment, points, wish, space)]
        elif kind == "saturation":
            leaves.append(saturation(adjustment, wish))
        elif kind == "shading" and number == len(adjustments) - 1:
            leaves += shading(light.gains(adjustment), wish, space)
        else:
            raise Refusal(
                i18n("This model's result cannot be shown as layers ({0}).").format(kind),
                i18n("Choose another model."),
                "unsupported_order",
            )
    if is_float(space) and leaves:
        leaves.append(Leaf(clip, i18n("Clip highlights"), "darken", value=1))
    return [*solid_edges(wish), *leaves]


def solid_edges(wish):
    """What a part of a layer with an alpha of its own needs: else its soft edges would change by half."""
    if not wish.keeps_alpha:
        return []
    return [Leaf(solid, i18n("Solid edges"), "copy", filter=tones.curves_filter, settings=tones.solid_settings())]


def is_float(space):
    """Whether values may lie outside 0 to 1."""
    return space.depth.startswith("F")


def limits(space):
    """Keep all values just inside: in a float document Krita's curves leave 0 and less, 1 and more as they are."""
    if not is_float(space):
        return []
    lowest, highest = just_inside[space.depth]
    return [
        Leaf(black, i18n("Limit to black"), "lighten", value=lowest),
        Leaf(white, i18n("Limit to white"), "darken", value=highest),
    ]


def tone_curves(adjustment, points, wish, space):
    """Tone curves as Krita's colour adjustment filter; the mode "normal" would thicken soft edges."""
    channels = tones.curves(adjustment, points, space.depth, space.is_linear, wish.exact)
    settings = tones.curves_settings(channels)
    opacity = share(wish.color_strength)
    return Leaf(tones_role, i18n("Tone curves"), "copy", opacity, tones.curves_filter, settings)


def saturation(adjustment, wish):
    """Saturation as Krita's HSL filter."""
    strength = adjustment.get("strength", 1.0)
    settings = tones.saturation_settings(adjustment["amount"])
    name, opacity = i18n("Saturation"), share(wish.color_strength * strength)
    return Leaf(saturation_role, name, "copy", opacity, tones.saturation_filter, settings, strength=strength)


def shading(rows, wish, space):
    """Light as grey layers; white changes nothing in either."""
    names = {
        light.darken: (i18n("Darken"), "multiply"),
        light.brighten: (i18n("Brighten"), "divide"),
        light.both: (i18n("Light"), "multiply"),
    }
    opacity = share(wish.light_strength)
    return [Leaf(role, *names[role], opacity) for role in light.roles(rows, space.depth)]


def light_rows(harmonization):
    """The rows of the light map, None without one."""
    last = harmonization["adjustments"][-1:]
    return light.gains(last[0]) if last and last[0]["kind"] == "shading" else None


def share(strength):
    """A strength as a layer's opacity."""
    return round(255 * min(max(strength, 0.0), 1.0))
