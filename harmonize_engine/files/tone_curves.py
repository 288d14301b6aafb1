"""What of a Harmonization a file of tone curves can hold."""

from harmonize_engine.curves import Curves
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.saturation import Saturation


def colour_adjustments(picture: LayeredPicture) -> tuple[Curves | Saturation, ...]:
    """Curves and saturation at the picture's colour strength, in order of application; the light map is left aside.

    Raises HarmonizeError `unsupported_order` where colour follows the light map.
    """
    weakened = (colour.blend(picture.color_strength) for colour in picture.colours)
    return tuple(colour for colour in weakened if not colour.is_identity)


def joined_curves(picture: LayeredPicture) -> Curves:
    """Join all tone curves into one, exactly. Raises HarmonizeError `not_expressible` where saturation is changed too."""
    joined = Curves.identity()
    for adjustment in colour_adjustments(picture):
        if isinstance(adjustment, Saturation):
            raise HarmonizeError(
                "not_expressible",
                "These adjustments change saturation, which tone curves alone cannot hold.",
                "Write .kra or .xcf for layers, or .cube for a colour table.",
            )
        joined = joined.then(adjustment)
    return joined
