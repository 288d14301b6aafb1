# SPDX-License-Identifier: GPL-3.0-or-later
"""Small copies that GIMP itself makes: the numbers of `small_copy`, without rendering the picture in full size."""

from __future__ import annotations

from gi.repository import Gimp
from pixels import Frame, Small, separated

good_in_every_depth = hasattr(Gimp, "Curve")  # from 3.2 on; those of 3.0 are right in 8 bits of RGB only
eight_bits = Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U8_PERCEPTUAL


def is_exact(image: Gimp.Image, frame: Frame) -> bool:
    """Whether a thumbnail has the numbers of `small_copy`.

    Not of other proportions than the picture's, not with a profile, for GIMP converts to sRGB, and not where a block of
    pixels that GIMP averages lies across the border.
    """
    width, height = frame.small
    block = 1 << ((max(frame.width, frame.height) // max(width, height)).bit_length() - 1)
    whole = width * frame.height == height * frame.width and not (frame.width % block or frame.height % block)
    return whole and image.get_color_profile() is None and _right(image)


def thumbnail(image: Gimp.Image, frame: Frame) -> Small:
    """Shrink what is visible in a picture."""
    return separated(image.get_thumbnail_data(*frame.small)[0].get_data())


def _right(image: Gimp.Image) -> bool:
    precision = image.get_precision()
    if good_in_every_depth:
        return precision != Gimp.Precision.HALF_LINEAR  # a level off here and there
    return precision in eight_bits and image.get_base_type() == Gimp.ImageBaseType.RGB
