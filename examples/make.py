"""Rebuilds the example composites from their clean plates, shadow layers and cut-outs.

    python examples/make.py [FOLDER]

A composite is what an artist has after pasting: the plate, a shadow layer in Multiply where the object
touches something, and the cut-out on top, untouched. All values are display-encoded sRGB.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops


@dataclass(frozen=True)
class Placement:
    """Where a cut-out lies on its plate: top left corner and size, in pixels of the plate."""

    name: str
    left: int
    top: int
    scale: float = 1.0
    suffix: str = ".jpg"


PLACEMENTS = (
    Placement("astronaut-dusk", left=-8, top=128, suffix=".png"),
    Placement("officer-library", left=368, top=60),
    Placement("espresso-daylight", left=414, top=360, scale=0.918),
    Placement("jug-evening", left=857, top=276),
)


def paste(plate: Image.Image, shadow: Image.Image | None, cutout: Image.Image, at: Placement) -> Image.Image:
    """Lays `shadow` in Multiply and then `cutout` over the RGB `plate`; same size as the plate."""
    if shadow is not None:
        plate = ImageChops.multiply(plate, shadow.convert("RGB"))
    composite = plate.convert("RGBA")
    composite.alpha_composite(place(cutout, plate.size, at))
    return composite.convert("RGB")


def place(cutout: Image.Image, size: tuple[int, int], at: Placement) -> Image.Image:
    """Returns an empty RGBA layer of `size` with the scaled cut-out at its place, cropped by the frame."""
    if at.scale != 1.0:
        width, height = (round(side * at.scale) for side in cutout.size)
        cutout = cutout.resize((width, height), Image.Resampling.LANCZOS)
    layer = Image.new("RGBA", size)
    layer.paste(cutout, (at.left, at.top))
    return layer


def make(folder: Path, at: Placement) -> None:
    """Writes `<name>.jpg` or `.png` and `<name>-mask.png` beside the files they are made from."""
    plate = Image.open(folder / f"{at.name}-background.jpg").convert("RGB")
    cutout = Image.open(folder / f"{at.name}-cutout.png").convert("RGBA")
    shadow_file = folder / f"{at.name}-shadow.png"
    shadow = Image.open(shadow_file).convert("L") if shadow_file.exists() else None

    composite = paste(plate, shadow, cutout, at)
    mask = place(cutout, plate.size, at).getchannel("A")
    if at.suffix == ".jpg":
        composite.save(folder / f"{at.name}.jpg", quality=93, subsampling=0)
    else:
        composite.save(folder / f"{at.name}{at.suffix}", optimize=True)
    mask.save(folder / f"{at.name}-mask.png", optimize=True)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for placement in PLACEMENTS:
        make(folder, placement)
