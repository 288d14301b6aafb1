# SPDX-License-Identifier: GPL-3.0-or-later
"""The light map as grey layers of the document's size and depth: Multiply where it darkens, Divide where it brightens.

The engine's map is small; its cells are pixels that are spread bilinearly, with half-pixel centres and repeated borders. A
linear document multiplies linear values, so the gains are raised to the power that stands for its display's curve there.
"""

import base64
import struct
from array import array
from functools import cache

from .qt import QImage, Qt

step = 1 / 16384  # of the gains on the wire
darken, brighten, both = "darken", "brighten", "light"
display_power = 2.2
finest = 128  # places each way that are computed here; Qt spreads them further


def gains(adjustment):
    """The rows of a "shading" adjustment's map, 1 = unchanged."""
    cells = array("H", base64.b64decode(adjustment["gain"]))
    if struct.pack("=H", 1) != struct.pack("<H", 1):
        cells.byteswap()
    width = adjustment["width"]
    return [[step * cell for cell in cells[top : top + width]] for top in range(0, len(cells), width)]


def roles(rows, depth):
    """The layers a map needs: floats hold gains above 1 in one Multiply layer, integers need Divide for them."""
    if all(gain == 1 for row in rows for gain in row):
        return []
    if depth.startswith("F"):
        return [both]
    darkens = any(gain < 1 for row in rows for gain in row)
    brightens = any(gain > 1 for row in rows for gain in row)
    return [role for role, needed in ((darken, darkens), (brighten, brightens)) if needed]


def pixels(rows, role, width, height, depth, is_linear=False):
    """The bytes of one opaque grey layer, as Krita has them in memory."""
    fine = spread(rows, inner_size(len(rows[0]), width), inner_size(len(rows), height))
    if is_linear:
        fine = [[gain**display_power for gain in row] for row in fine]
    if role == both:
        peak = max(1.0, *(max(row) for row in fine))
        shown = [[gain / peak for gain in row] for row in fine]
    elif role == darken:
        peak, shown = 1.0, [[min(gain, 1.0) for gain in row] for row in fine]
    else:
        peak, shown = 1.0, [[1 / max(gain, 1.0) for gain in row] for row in fine]
    image = enlarged(shown, width, height)
    if depth == "U8":
        return content(image.convertToFormat(QImage.Format.Format_RGB32))
    deep = content(image)
    return deep if depth == "U16" else floats(deep, depth, peak)


def inner_size(cells, pixels):
    """How far to spread in Python: whole odd multiples, so that every cell's centre is one of the finer centres."""
    share = max(1, finest // cells)
    return min(pixels, cells * (share - 1 + share % 2))


def spread(rows, width, height):
    """Spread the rows bilinearly over (height, width)."""
    lines = [_line(row, _places(len(row), width)) for row in rows]
    result = []
    for low, high, share in _places(len(rows), height):
        result.append([a + (b - a) * share for a, b in zip(lines[low], lines[high], strict=True)])
    return result


def _line(row, places):
    return [row[low] + (row[high] - row[low]) * share for low, high, share in places]


def _places(cells, pixels):
    """For each pixel the cells to its left and right, and the share of the right one."""
    found = []
    for pixel in range(pixels):
        place = min(max((pixel + 0.5) * cells / pixels - 0.5, 0.0), cells - 1.0)
        left = min(int(place), max(cells - 2, 0))
        found.append((left, min(left + 1, cells - 1), place - left))
    return found


def enlarged(rows, width, height):
    """Rows of values in [0, 1] as an opaque grey image of 16 bits, spread over (height, width)."""
    white = 65535
    cells = array("H", bytes(8 * len(rows) * len(rows[0])))
    grey = array("H", (round(white * value) for row in rows for value in row))
    for channel in range(3):
        cells[channel::4] = grey
    cells[3::4] = array("H", [white]) * len(grey)
    memory = cells.tobytes()
    image = QImage(memory, len(rows[0]), len(rows), 8 * len(rows[0]), QImage.Format.Format_RGBX64).copy()
    if (image.width(), image.height()) == (width, height):
        return image
    modes = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(width, height, *modes)


def content(image):
    """An image's bytes; its lines have no padding in the formats used here."""
    return image.constBits().asstring(image.sizeInBytes())


def floats(deep, depth, peak):
    """16-bit RGBA bytes as floats, `peak` = white, opaque."""
    grey = array("H", deep)[::4]
    kind = "f" if depth == "F32" else "H"  # a half is kept as its 16 bits
    table = _table(depth, peak)
    values = array(kind, map(table.__getitem__, grey))
    one = array(kind, [table[65535] if peak == 1 else _held(1.0, depth)])
    result = array(kind, bytes(4 * len(values) * values.itemsize))
    for channel in range(3):
        result[channel::4] = values
    result[3::4] = one * len(values)
    return result.tobytes()


@cache
def _table(depth, peak):
    """What each 16-bit value becomes."""
    return [_held(peak * value / 65535, depth) for value in range(65536)]


def _held(value, depth):
    return value if depth == "F32" else struct.unpack("<H", struct.pack("<e", value))[0]
