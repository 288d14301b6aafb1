"""EXIF that may follow a picture through editing: what describes the photograph, not how the old file was laid out."""

import io

from PIL import Image

from harmonize_engine.errors import HarmonizeError

exif_ifd, gps_ifd = 0x8769, 0x8825
orientation = 0x0112
# ImageDescription, Make, Model, Software, DateTime, Artist, HostComputer, Rating, RatingPercent, Copyright, XP texts
described = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749, 0x8298, *range(0x9C9B, 0x9CA0))
laid_out = (0xA002, 0xA003, 0xA005)  # pixel size, pointer to the interoperability IFD


def carried(source: Image.Exif) -> bytes | None:
    """Take the tags that still hold after an edit, as a TIFF structure without the "Exif" prefix; None if there are none.

    Orientation, thumbnail, size and storage tags stay behind: they would be wrong for the new pixels.
    """
    kept = Image.Exif()
    for tag in described:
        if tag in source:
            kept[tag] = source[tag]
    for pointer in (exif_ifd, gps_ifd):
        tags = {tag: value for tag, value in source.get_ifd(pointer).items() if tag not in laid_out}
        if tags:
            kept[pointer] = tags
    return kept.tobytes()[6:] if len(kept) else None


def parsed(exif: bytes) -> Image.Exif:
    """Read what `carried` made. Raises HarmonizeError `bad_exif` for anything else."""
    tags = Image.Exif()
    try:
        tags.load_from_fp(io.BytesIO(exif))
        for pointer in (exif_ifd, gps_ifd):
            tags.get_ifd(pointer)
    except Exception as error:  # Pillow's readers raise almost anything for damaged bytes
        raise HarmonizeError("bad_exif", "The picture's EXIF cannot be read.", "Leave it out.") from error
    return tags
