"""Settings of GIMP's Curves dialog (.gimpcurves), read there by "Import Current Settings from File...".

GIMP gives such files no suffix of its own. They hold what an .xcf of ours holds: few smooth points to drag, and the
exact samples, which GIMP draws until a point is moved. The light map is not in it.
"""

from pathlib import Path

from harmonize_engine.files.atomic import atomic
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.files.tone_curves import joined_curves
from harmonize_engine.files.xcf.effects import curves_effect


def write(picture: LayeredPicture, path: Path) -> None:
    """Write the tone curves as text that GIMP 2.10.20 and later reads, on display-encoded values.

    Raises HarmonizeError `not_expressible`, `unsupported_order`, and what `atomic` raises.
    """
    settings = curves_effect(joined_curves(picture), "").settings
    text = f"# GIMP curves settings, written by Harmonize\n\n{settings}\n# end of curves settings\n"
    with atomic(path) as file:
        file.write(text.encode("ascii"))
