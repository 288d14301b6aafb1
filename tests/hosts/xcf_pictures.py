"""Pictures with adjustments of every kind, to open in a real editor; see test_xcf.py."""

import struct

import numpy as np

from harmonize_engine.curves import Curves
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.pictures.depth import as_depth
from harmonize_engine.saturation import Saturation
from harmonize_engine.shading import Shading

width, height = 133, 97  # odd, over several tiles
depths = {"u8": np.uint8, "u16": np.uint16, "float": np.float32}


def pictures() -> dict[str, LayeredPicture]:
    """Every depth, flat and with a cut-out; light both ways; and each special case at some depth."""
    random = np.random.default_rng(20)
    both = (tone_curves(random), light_map(0.5, 1.9))
    picture, other = scene(random), scene(random)
    cases: dict[str, LayeredPicture] = {}

    def add(name: str, adjustments: tuple, cutout: bool = False, pixels: np.ndarray | None = None, **more: object) -> None:
        depth = depths[name.split()[0]]
        values = picture if pixels is None else pixels
        mask = as_depth(soft_mask(), depth)
        pasted = np.dstack([as_depth(other, depth), mask]) if cutout else None
        held = as_depth(values, depth)
        harmonization = Harmonization(adjustments, "test", "1")
        cases[name] = LayeredPicture(held, mask, harmonization, held, pasted, **more)

    for depth in depths:
        add(f"{depth} flat", both)
        add(f"{depth} cut-out", both, cutout=True)
        add(f"{depth} strengths", both, color_strength=0.6, light_strength=0.35)
        add(f"{depth} saturation", (tone_curves(random), Saturation(-0.4), tone_curves(random), light_map(0.7, 1.3)))
    add("u8 saturated", (Saturation(0.5),), dpi=(144.0, 72.0))
    add("u8 darker", (light_map(0.4, 0.9),))
    add("u8 curves", (tone_curves(random),), cutout=True)
    # 8 bit only: near black GIMP's projection of 16-bit values in such a profile is 0.6 level off in any picture
    add("u8 wide", both, icc=wide_profile())
    add("u8 wide cut-out", both, icc=wide_profile(), color_strength=0.7, cutout=True)
    add("u8 hidden", both, visible=False)
    add("u16 hidden cut-out", both, cutout=True, visible=False)
    add("float beyond", both, pixels=(picture * 1.6 - 0.2).astype(np.float32), color_strength=0.5)
    glass = np.dstack([picture, np.clip(0.2 + soft_mask(), 0, 1)])
    add("u8 see-through", both, pixels=glass)
    return cases


def scene(random: np.random.Generator) -> np.ndarray:
    """Colours of all kinds, with plain black, white and grey among them: (H, W, 3)."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin(rows / 9 + 2 * c) * np.cos(columns / (7 + 3 * c)) for c in range(3)]
    colours = 0.5 + 0.55 * np.stack(waves, -1) + random.normal(0, 0.04, (height, width, 3))
    colours[:12] = (columns[:12] / (width - 1))[..., None]
    return np.clip(colours, 0, 1)


def soft_mask() -> np.ndarray:
    """A disc with an edge some twenty pixels wide."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.clip(1.6 - np.hypot(rows - 45, columns - 70) / 28, 0, 1)


def tone_curves(random: np.random.Generator) -> Curves:
    """A prediction as the model makes it: 33 knots, rising, each channel its own."""
    bends = sum(random.normal(0, 0.5, (3, 1)) * np.cos(k * np.pi * np.linspace(0, 1, 32)) for k in (1, 2, 3))
    rise = np.cumsum(np.pad(np.exp(bends), ((0, 0), (1, 0))), axis=1)
    rise = (rise - rise[:, :1]) / (rise[:, -1:] - rise[:, :1])
    low, high = random.uniform(0, 0.08, (3, 1)), random.uniform(0.85, 1, (3, 1))
    return Curves.uniform(low + (high - low) * rise)


def light_map(low: float, high: float) -> Shading:
    rows, columns = np.mgrid[0:16, 0:16] / 15
    return Shading(low + (high - low) * (0.5 + 0.5 * np.sin(4 * columns + 5 * rows**2)))


def wide_profile() -> bytes:
    """An ICC profile far from sRGB: gamma 1.8 and the primaries of ROMM RGB."""
    gamma = b"curv" + struct.pack(">2IHH", 0, 1, round(1.8 * 256), 0)
    words = b"desc" + struct.pack(">2I", 0, 5) + b"wide\0" + bytes(78)
    primaries = {"r": (0.79767, 0.28804, 0), "g": (0.13519, 0.71188, 0), "b": (0.03134, 0.00009, 0.82491)}
    tags = {"desc": words + b"\0", "wtpt": _xyz(0.9642, 1, 0.8249), "cprt": b"text" + bytes(8)}
    tags |= {f"{c}XYZ": _xyz(*place) for c, place in primaries.items()} | {f"{c}TRC": gamma for c in "rgb"}
    at = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name.encode() + struct.pack(">2I", at + len(body), len(content))
        body += content
    size = at + len(body)
    head = struct.pack(">I4x4B", size, 2, 0x40, 0, 0) + b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28)
    return head + _xyz(0.9642, 1, 0.8249)[8:] + bytes(48) + table + body


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * value) for value in values))
