"""The colour profile of a .kra."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

srgb = "sRGB-elle-V2-srgbtrc.icc"  # Krita's own, there in every Krita


@dataclass(frozen=True)
class Profile:
    """A profile by the name that Krita looks for first, and its bytes for where Krita does not know it."""

    name: str
    icc: bytes | None

    @classmethod
    def of(cls, icc: bytes | None) -> "Profile":
        """The profile of a picture; sRGB by any name, none, and what is not RGB count as Krita's own sRGB."""
        if icc is None or icc[16:20] != b"RGB ":
            return cls(srgb, None)
        try:
            profile = ImageCms.ImageCmsProfile(BytesIO(icc))
            if _is_srgb(profile):
                return cls(srgb, None)
            return cls(ImageCms.getProfileDescription(profile).strip(), icc)
        except (OSError, ImageCms.PyCMSError):
            return cls(srgb, None)


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Whether colours keep their 8-bit values on the way to sRGB, within one."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    to_srgb = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    seen = ImageCms.applyTransform(Image.fromarray(colours), to_srgb)
    return seen is not None and bool(np.abs(np.asarray(seen).astype(int) - colours).max() <= 1)
