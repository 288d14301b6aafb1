"""What of a Harmonization a file of tone curves can hold."""

from harmonize_engine.curves import Curves
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.harmonization import Adjustment
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Shading


def colour_adjustments(picture: LayeredPicture) -> tuple[Adjustment, ...]:
    """Curves and saturation at the picture's colour strength, in order of application; the light map is left aside.

    Raises HarmonizeError `unsupported_order` where colour follows the light map.
    """
    adjustments = [a for a in picture.harmonization.blend(picture.color_strength).adjustments if not a.is_identity]
    colours = [a for a in adjustments if not isinstance(a, Shading)]
    if adjustments[: len(colours)] != colours:
        raise HarmonizeError(
            "unsupported_order",
            "These adjustments change colours after the light map, which a file of tone curves cannot hold.",
            "Write the finished picture as png or tif.",
        )
    return tuple(colours)


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
        assert isinstance(adjustment, Curves)
        joined = joined.then(adjustment)
    return joined
