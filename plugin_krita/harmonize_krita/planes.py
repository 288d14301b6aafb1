# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of up to 512 pixels for the wire: Qt shrinks them, rows come out from the top without padding."""

from array import array

from .qt import QColor, QImage, QPainter, Qt

nothing = QColor(128, 128, 128)  # what see-through places show the engine; their weight says that they do not count


def shrunk(pixels, width, height, size):
    """B, G, R, A bytes as a small picture with alpha, each pixel the mean of those it covers."""
    image = QImage(pixels, width, height, 4 * width, QImage.Format.Format_ARGB32)
    return scaled(image, size).convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def every(row, pixel_bytes, first, step):
    """Every step-th pixel of a row of deep pixels."""
    words, given = pixel_bytes // 4, array("I", row)
    kept = array("I", bytes(pixel_bytes * len(range(first, len(given) // words, step))))
    for word in range(words):
        kept[word::words] = given[first * words + word :: step * words]
    return kept.tobytes()


def shrunk_plane(plane, width, height, size):
    """One byte a pixel -> one byte a pixel."""
    image = QImage(plane, width, height, width, QImage.Format.Format_Grayscale8)
    return rows(scaled(image, size).convertToFormat(QImage.Format.Format_Grayscale8), 1)


def scaled(image, size):
    """The image in another size; a copy, so that the bytes it was made of may go."""
    modes = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(*size, *modes) if (image.width(), image.height()) != tuple(size) else image.copy()


def opaque(image):
    """R, G, B bytes of a picture, over grey where it is see-through."""
    flat = QImage(image.size(), QImage.Format.Format_RGB32)
    flat.fill(nothing)
    painter = QPainter(flat)
    painter.drawImage(0, 0, image)
    painter.end()
    return rows(flat.convertToFormat(QImage.Format.Format_RGB888), 3)


def alpha(image):
    """One byte a pixel: how opaque a picture is."""
    return rows(image.convertToFormat(QImage.Format.Format_Alpha8), 1)


def product(one, other):
    """Two planes multiplied, 255 = 1."""
    return bytes((a * b + 127) // 255 for a, b in zip(one, other, strict=True))


def inverse(plane):
    """255 minus the plane."""
    return plane.translate(bytes(255 - value for value in range(256)))


def rows(image, channels):
    """An image's bytes without the padding of its lines."""
    line, width = image.bytesPerLine(), channels * image.width()
    content = image.constBits().asstring(line * image.height())
    return content if line == width else b"".join(content[top : top + width] for top in range(0, len(content), line))
