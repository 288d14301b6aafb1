# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a group after it was made: stronger or weaker, before and after, new results, removal."""

from . import group, light, parts, record, tones
from .qt import QByteArray
from .seed import Leaf


def live(document, known):
    """The parts of a group that are still there, with their layers."""
    pairs = [(part, record.node(document, part.layer)) for part in known.parts]
    return [(part, layer) for part, layer in pairs if layer is not None]


def edited(document, known):
    """The names of the layers that the artist has changed by hand since Harmonize wrote them."""
    if known.canvas != record.canvas_of(document):
        return []  # Krita has changed them all
    return [layer.name() for part, layer in live(document, known) if is_edited(part, layer)]


def is_edited(part, layer):
    """Whether a layer no longer holds what Harmonize wrote."""
    return part.role in (*parts.colours, *parts.lights) and not tones.same(part.written, group.state(layer))


def strengthen(document, known, color_strength, light_strength):
    """Set how strongly the native layers act, 0..1, by their opacity."""
    known.color_strength, known.light_strength = color_strength, light_strength
    for part, layer in live(document, known):
        if part.role in (*parts.colours, *parts.lights):
            strength = color_strength if part.role in parts.colours else light_strength
            layer.setOpacity(parts.share(strength * part.strength))
        elif part.role in (parts.black, parts.white):
            layer.setOpacity(255 if color_strength else 0)  # they are there for the curves
    document.refreshProjection()
    document.setModified(True)  # Krita does not see such changes by itself, and would close without a question


def show(document, known, harmonized):
    """Show the picture with or without the group's adjustments: before and after."""
    for _, layer in live(document, known):
        layer.setVisible(harmonized)
    document.refreshProjection()


def is_shown(document, known):
    """Whether the adjustments are switched on."""
    return any(layer.visible() for _, layer in live(document, known))


def renew(foreground, wish, keep_edits=True):
    """Put a new result into the group that is there; layers that the artist has edited stay as they are if wanted.

    A light layer that is missing is added, which is an undo step; a superfluous layer is made to change nothing. Returns
    the names of the layers that were kept.
    """
    document, known, space = foreground.document, foreground.record, foreground.space
    missing, there, kept = parts.of(wish, space), live(document, known), []
    for part, layer in there:
        leaf = next((leaf for leaf in missing if leaf.role == part.role), None)
        missing = [other for other in missing if other is not leaf]
        if keep_edits and is_edited(part, layer):
            kept.append(layer.name())
            continue
        part.written = fill(layer, leaf or neutral(part), wish, document, space)
        part.strength = leaf.strength if leaf else part.strength
    known.parts = [part for part, _ in there] + grown(foreground, missing, wish)
    known.harmonization, known.exact = wish.harmonization, wish.exact
    strengthen(document, known, wish.color_strength, wish.light_strength)
    record.keep(document, known)
    return kept


def fits(foreground, wish):
    """Whether the group that is there can show a new result: it may lack light layers, but no others."""
    if foreground.record.canvas != record.canvas_of(foreground.document):
        return False
    roles = [part.role for part, _ in live(foreground.document, foreground.record)]
    for leaf in parts.of(wish, foreground.space):
        if leaf.role in roles:
            roles.remove(leaf.role)
        elif leaf.role not in parts.lights:
            return False
    return True


def neutral(part):
    """A layer of the same role that changes nothing."""
    if part.role == parts.tones_role:
        straight = tones.curves_settings([([0, 1], [0, 1])] * 3)
        return Leaf(part.role, "", filter=tones.curves_filter, settings=straight)
    if part.role == parts.saturation_role:
        return Leaf(part.role, "", filter=tones.saturation_filter, settings=tones.saturation_settings(0))
    return Leaf(part.role, "", value=1)


def fill(layer, leaf, wish, document, space):
    """Write a new content into a layer, which is no undo step; returns its state."""
    if leaf.filter:
        layer.filter().configuration().setProperties(leaf.settings)
    elif leaf.role in parts.lights:
        width, height = document.width(), document.height()
        rows = [[1.0]] if leaf.value == 1 else parts.light_rows(wish.harmonization)
        grey = light.pixels(rows, leaf.role, width, height, space.depth, space.is_linear)
        layer.setPixelData(QByteArray(grey), 0, 0, width, height)
        return group.painted(grey)
    return group.state(layer)


def grown(foreground, missing, wish):
    """Add light layers that the group has not; returns their parts."""
    if not missing:
        return []
    document, added = foreground.document, []
    above = [layer for part, layer in live(document, foreground.record) if part.role != parts.clip][-1]
    scratch = group.opened("", missing, foreground.space, False)
    try:
        for leaf, child in zip(missing, scratch.topLevelNodes()[0].childNodes()[1:], strict=True):
            fill(child, leaf, wish, document, foreground.space)
            parent = above.parentNode()
            parent.addChildNode(child.clone(), above)
            siblings = parent.childNodes()
            above = siblings[siblings.index(above) + 1]
            added.append(record.Part(leaf.role, record.name_of(above), leaf.strength, group.state(above)))
    finally:
        scratch.close()
    return added


def remove(document, known):
    """Remove the group, which is one undo step, and show the artist's layer by itself again."""
    there, source = record.node(document, known.group), record.node(document, known.source)
    if there is not None:
        there.remove()
    if source is not None and not known.is_flat:
        source.setOpacity(known.opacity)
    document.refreshProjection()
