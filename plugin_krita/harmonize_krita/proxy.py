# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine looks at: a copy of the picture of at most 512 pixels, the foreground's mask, and what it is to match."""

from dataclasses import dataclass

from . import planes
from .engine_client import Proxy
from .qt import i18n
from .refusal import Refusal
from .rendering import Rendering

long_side = 512
beneath, chosen_layer, selection = "beneath", "layer", "selection"  # what the foreground is to match
near_all = 8  # of 255, summed up as a mean: a selection that takes this little away takes nothing


@dataclass(frozen=True)
class Look:
    """A proxy, and the mask over the whole canvas, one byte a pixel; None where the layer's own alpha is the mask.

    keeps_alpha: the mask is a part of a layer with an alpha of its own.
    """

    proxy: Proxy
    mask: bytes | None
    keeps_alpha: bool

    @property
    def marks(self):
        """What tells the foreground from the rest of its layer."""
        return self.mask, self.keeps_alpha


def look(foreground, reference=beneath, layer=None):
    """Look at a foreground; `layer` is the one to match where the reference is one. Raises Refusal."""
    document, size = foreground.document, fitting(foreground.document)
    with Rendering(document) as rendering:
        source = rendering.find(foreground.layer)
        if foreground.group is not None:
            rendering.find(foreground.group).remove()
            source.setOpacity(foreground.record.opacity)
        rendering.hide_above(source)
        composite = rendering.image(size)
        rendering.hide_above(source, itself=True)
        plate = rendering.image(size)
        rendering.isolate(source)
        own = planes.alpha(rendering.image(size))
        mask = marked(foreground, own, reference, size)
        keeps_alpha = mask is not None and is_cut_out(foreground, own)
        small = own if mask is None else planes.product(own, smaller(mask, document, size))
        refuse_unmarked(foreground, small)
        if reference == chosen_layer:
            target, weights = plate_of(foreground, rendering, layer, size)
        elif mask is None:
            target, weights = planes.opaque(plate), planes.alpha(plate)
        else:
            target, weights = None, planes.product(planes.alpha(composite), planes.inverse(small))
    if reference == selection:
        weights = planes.product(weights, selected(foreground, small, size))
    if not any(weights):
        raise Refusal(
            i18n("There is nothing to match “{0}” to.").format(foreground.layer.name()),
            i18n("Put a picture beneath it, or choose another reference."),
            "reference_empty",
        )
    everywhere = target is not None and min(weights) == 255
    return Look(Proxy(*size, planes.opaque(composite), small, target, None if everywhere else weights), mask, keeps_alpha)


def fitting(document):
    """The size of the proxy."""
    width, height = document.width(), document.height()
    share = min(1.0, long_side / max(width, height))
    return max(1, round(share * width)), max(1, round(share * height))


def smaller(plane, document, size):
    """A plane over the canvas in the size of the proxy."""
    return planes.shrunk_plane(plane, document.width(), document.height(), size)


def marked(foreground, own, reference, size):
    """The mask over the canvas where the foreground is a marked part of its layer, else None.

    own: the layer's small alpha.
    """
    known = foreground.record
    if known is not None:
        return group_mask(foreground) if known.is_flat or known.keeps_alpha else None
    if foreground.selection is not None and reference != selection:
        part = planes.product(own, smaller(foreground.selection, foreground.document, size))
        if not any(part):
            raise Refusal(
                i18n("Nothing of “{0}” is selected.").format(foreground.layer.name()),
                i18n("Select the part to harmonize, or nothing at all to take the whole layer."),
                "selection_misses",
            )
        if 255 * (sum(own) - sum(part)) > near_all * sum(own):
            return foreground.selection
    if min(own) == 255:
        raise Refusal(
            i18n("“{0}” covers the whole picture.").format(foreground.layer.name()),
            i18n("Select the pasted part first, or put it on a layer of its own."),
            "covers_all",
        )
    return None


def is_cut_out(foreground, own):
    """Whether a layer shows in any other way than as an opaque picture that covers all; own: its small alpha."""
    layer, known = foreground.layer, foreground.record
    if known is not None:
        return known.keeps_alpha
    return min(own) < 255 or layer.opacity() < 255 or layer.blendingMode() != "normal" or layer.inheritAlpha()


def group_mask(foreground):
    """The mask of the group as it is now; the artist may have painted on it."""
    document, there = foreground.document, foreground.group.childNodes()
    inside = [child for group in there if group.type() == "grouplayer" for child in group.childNodes()]
    for child in [*there, *inside]:
        if child.type() == "transparencymask":
            return bytes(child.pixelData(0, 0, document.width(), document.height()))
    raise Refusal(
        i18n("The mask of “{0}” is gone.").format(foreground.group.name()),
        i18n("Remove the group, select the foreground and harmonize again."),
        "mask_gone",
    )


def refuse_unmarked(foreground, small):
    """Raise Refusal for a foreground of nothing."""
    if not any(small):
        raise Refusal(
            i18n("“{0}” has nothing on the canvas.").format(foreground.layer.name()),
            i18n("Move it into the picture, or choose another layer."),
            "empty",
        )


def plate_of(foreground, rendering, layer, size):
    """A layer alone as what is to be matched, and its alpha as the weight."""
    if layer == foreground.layer:
        raise Refusal(
            i18n("“{0}” cannot be matched to itself.").format(layer.name()), i18n("Choose another reference."), "itself"
        )
    if layer is None or (there := rendering.find(layer)) is None:
        raise Refusal(i18n("The layer to match is gone."), i18n("Choose another reference."), "reference_gone")
    rendering.isolate(there)
    image = rendering.image(size)
    return planes.opaque(image), planes.alpha(image)


def selected(foreground, small, size):
    """The selection as the region to match, small, without the foreground."""
    if foreground.selection is None:
        raise Refusal(
            i18n("Nothing is selected that could be matched."),
            i18n("Select the part of the picture to match, or choose another reference."),
            "nothing_selected",
        )
    return planes.product(smaller(foreground.selection, foreground.document, size), planes.inverse(small))
