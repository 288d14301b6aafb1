"""The colour profile of a .kra."""

import struct
from dataclasses import dataclass
from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

srgb = "sRGB-elle-V2-srgbtrc.icc"  # Krita's own, there in every Krita


@dataclass(frozen=True)
class Profile:
    """A profile by the name that Krita looks for first, and its bytes: Krita complains of a layer that comes without."""

    name: str
    icc: bytes

    @classmethod
    def of(cls, icc: bytes | None) -> "Profile":
        """The profile of a picture; sRGB by any name, none, and what is not RGB count as Krita's own sRGB."""
        if icc is None or icc[16:20] != b"RGB ":
            return cls(srgb, srgb_profile())
        try:
            profile = ImageCms.ImageCmsProfile(BytesIO(icc))
            if _is_srgb(profile):
                return cls(srgb, srgb_profile())
            return cls(ImageCms.getProfileDescription(profile).strip(), icc)
        except (OSError, ImageCms.PyCMSError):
            return cls(srgb, srgb_profile())


@cache
def srgb_profile() -> bytes:
    """An sRGB profile that goes by the name of Krita's own, so that Krita takes its own; only the name is rewritten."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    name = srgb.encode("utf-16-be")
    text = struct.pack(">4s3I4s2I", b"mluc", 0, 1, 12, b"enUS", len(name), 28) + name  # ICC.1:2010, 10.13
    profile += bytes(-len(profile) % 4)
    (tags,) = struct.unpack_from(">I", profile, 128)
    for entry in range(132, 132 + 12 * tags, 12):
        if bytes(profile[entry : entry + 4]) == b"desc":
            struct.pack_into(">2I", profile, entry + 4, len(profile), len(text))
    profile += text + bytes(-len(text) % 4)
    struct.pack_into(">I", profile, 0, len(profile))
    return bytes(profile)


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Whether colours keep their 8-bit values on the way to sRGB, within one."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    to_srgb = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    seen = ImageCms.applyTransform(Image.fromarray(colours), to_srgb)
    return seen is not None and bool(np.abs(np.asarray(seen).astype(int) - colours).max() <= 1)
