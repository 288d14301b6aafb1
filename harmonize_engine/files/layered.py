"""What a layered file holds: the artist's picture and, above it, the adjustments."""

from dataclasses import dataclass

from harmonize_engine.composite import Pixels
from harmonize_engine.curves import Curves
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Shading


@dataclass(frozen=True, eq=False)
class LayeredPicture:
    """A picture, its foreground, and the Harmonization to show as native layers; display-encoded values.

    pixels: (H, W, 3|4) uint8, uint16 or float32: the flat composite, or the background where a cut-out is given.
    mask: (H, W) of any of these types: the foreground; with a cut-out its alpha on the canvas.
    cutout: (H, W, 4), the pasted part on its own, placed on the canvas; None for a flat picture.
    result: (H, W, 3|4), the rendered picture, for the thumbnails and flat copies that some files carry.
    """

    pixels: Pixels
    mask: Pixels
    harmonization: Harmonization
    result: Pixels
    cutout: Pixels | None = None
    color_strength: float = 1.0
    light_strength: float = 1.0
    visible: bool = True  # False: the group is written switched off
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def colours(self) -> tuple[Curves | Saturation, ...]:
        """The adjustments of colour, the first to be applied first.

        Raises HarmonizeError `unsupported_order` where something follows the light map: no layered file can show that.
        """
        adjustments = self.harmonization.adjustments
        if any(isinstance(adjustment, Shading) for adjustment in adjustments[:-1]):
            raise HarmonizeError(
                "unsupported_order",
                "These parameters have an adjustment after the light map, which layers and tone curves cannot show.",
                "Write a .png or .tif instead.",
            )
        return tuple(adjustment for adjustment in adjustments if not isinstance(adjustment, Shading))

    @property
    def light(self) -> Shading | None:
        """The light map, if there is one."""
        last = self.harmonization.adjustments[-1:]
        return last[0] if last and isinstance(last[0], Shading) else None

    def opacity(self, adjustment: Curves | Saturation) -> float:
        """How opaque the layer of an adjustment of colour is."""
        return self.color_strength * (adjustment.strength if isinstance(adjustment, Saturation) else 1.0)
