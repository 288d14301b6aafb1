# SPDX-License-Identifier: GPL-3.0-or-later
"""The colour space of a document: what Harmonize can work in, and 8-bit display-encoded copies of its pixels."""

from dataclasses import dataclass

from krita import Krita

from .qt import QByteArray, i18n
from .refusal import Refusal

srgb = "sRGB-elle-V2-srgbtrc.icc"  # there in every Krita
pixel_bytes = {"U8": 4, "U16": 8, "F16": 8, "F32": 16}
near, linear_middle = 0.1, 0.735  # what half the white value of a profile may be in sRGB; linear light's is 0.735
measured = {}  # profile -> sRGB value of its middle


@dataclass(frozen=True)
class Space:
    """A document's RGB: depth U8, U16, F16 or F32; is_linear: its values are light, not what a display is sent."""

    depth: str
    profile: str
    is_linear: bool

    @classmethod
    def of(cls, document):
        """Raises Refusal for what tone curves of red, green and blue cannot work in."""
        model, depth, profile = document.colorModel(), document.colorDepth(), document.colorProfile()
        if model != "RGBA":
            name = {"GRAYA": i18n("Grayscale"), "CMYKA": "CMYK", "LABA": "L*a*b*", "XYZA": "XYZ", "YCbCrA": "YCbCr"}
            raise Refusal(
                i18n("This document is {0}: Harmonize works in RGB.").format(name.get(model, model)),
                i18n("Convert it with Image > Convert Image Color Space, or work in an RGB copy."),
                "not_rgb",
            )
        if depth not in pixel_bytes:
            raise Refusal(i18n("Harmonize does not know the depth {0}.").format(depth), code="unknown_depth")
        middle = middle_of(profile)
        if abs(middle - 0.5) > near and abs(middle - linear_middle) > near / 2:
            raise Refusal(
                i18n("The profile {0} is neither display-encoded nor linear: curves would go wrong.").format(profile),
                i18n("Convert the document to sRGB with Image > Convert Image Color Space."),
                "unknown_profile",
            )
        return cls(depth, profile, abs(middle - 0.5) > near)

    def display_bytes(self, pixels, width, height):
        """Pixels as Krita has them in memory -> B, G, R, A bytes, not premultiplied, display-encoded."""
        if self.depth == "U8" and not self.is_linear:
            return pixels
        if self.depth == "U16" and not self.is_linear:
            return pixels[1::2]  # the high bytes
        profile = srgb if self.is_linear else self.profile
        return converted(pixels, width, height, (self.depth, self.profile), ("U8", profile))


def middle_of(profile):
    """Half the white value of a profile as a display-encoded sRGB value, which tells gamma from linear."""
    if profile not in measured:
        grey = bytes.fromhex("008000800080ffff")
        shown = converted(grey, 1, 1, ("U16", profile), ("U16", srgb))
        measured[profile] = int.from_bytes(shown[2:4], "little") / 65535
    return measured[profile]


def converted(pixels, width, height, given, wanted):
    """Have Krita convert pixels from one (depth, profile) to another."""
    scratch = Krita.instance().createDocument(width, height, "", "RGBA", *given, 72.0)
    try:
        layer = scratch.topLevelNodes()[0]
        layer.setPixelData(QByteArray(pixels), 0, 0, width, height)
        scratch.setColorSpace("RGBA", *wanted)
        scratch.waitForDone()
        return bytes(scratch.topLevelNodes()[0].pixelData(0, 0, width, height))
    finally:
        scratch.close()
