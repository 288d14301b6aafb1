# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny .kra that holds the group of native layers, to be opened and cloned from.

Krita 5.2 lets no script set the curves of a filter layer, and in every version each change of a layer's mode is an undo
step: a file has neither trouble, and its format is documented. It holds no picture, only a group with filter layers, grey
layers and a mask, whose pixels follow by script.
"""

import struct
import zipfile
from dataclasses import dataclass, field
from uuid import uuid4
from xml.sax.saxutils import quoteattr

spaces = {"U8": "RGBA", "U16": "RGBA16", "F16": "RGBAF16", "F32": "RGBAF32"}
grey_formats = {"U8": "<4B", "U16": "<4H", "F16": "<4e", "F32": "<4f"}
whites = {"U8": 255, "U16": 65535, "F16": 1.0, "F32": 1.0}
folder = "seed"
inherit_alpha = "1110"  # which channels a layer writes
anchor = "anchor"  # the lowest layer of the group: the clone is put above it


@dataclass(frozen=True)
class Leaf:
    """A layer of the seed. settings: of a filter layer; value: of the grey that fills a layer everywhere, else it is empty.

    role: what it is for; strength: its share of the strength that the artist sets for its kind.
    """

    role: str
    name: str
    blend: str = "normal"
    opacity: int = 255
    filter: str = ""
    settings: dict = field(default_factory=dict)
    value: float | None = None
    strength: float = 1.0

    @property
    def type(self):
        """Krita's node type."""
        return "adjustmentlayer" if self.filter else "paintlayer"


def write(path, name, leaves, depth, profile, mask="", inner=""):
    """Write the group `name` with its leaves, lowest first, in a document's depth and profile.

    mask: the name of its mask, if it is to have one; inner: the name of a group inside it that holds the leaves and the
    mask, and takes the alpha of what is beneath it.
    """
    files, entries = {}, []
    for number, leaf in enumerate((Leaf(anchor, anchor), *leaves)):
        file = f"layer{number}"
        extra = f" filtername={quoteattr(leaf.filter)} filterversion='1'" if leaf.filter else ""
        flags = "" if leaf.filter or leaf.role == anchor else inherit_alpha
        attributes = _attributes(leaf.name, leaf.type, file, flags)
        entries.append(f"<layer {attributes} compositeop='{leaf.blend}' opacity='{leaf.opacity}'{extra}/>")
        if leaf.filter:
            files[f"{file}.filterconfig"] = _settings(leaf.settings)
            files |= _tiles(f"{file}.pixelselection", b"\xff")  # everywhere; without it a filter acts nowhere
        else:
            white = whites[depth]
            alpha = 0 if leaf.value is None else white
            value = 0 if leaf.value is None else leaf.value
            files |= _tiles(file, struct.pack(grey_formats[depth], value, value, value, alpha))
    if mask:
        entries.append(f"<mask {_attributes(mask, 'transparencymask', 'mask', '')}/>")
        files |= _tiles("mask.pixelselection", b"\0")
    if inner:
        file = "layer_beneath"
        files |= _tiles(file, struct.pack(grey_formats[depth], 0, 0, 0, 0))
        beneath = f"<layer {_attributes(anchor, 'paintlayer', file, '')} compositeop='normal' opacity='255'/>"
        entries = [beneath, _group(inner, "inner", inherit_alpha, entries)]
    group = _group(name, "group", "", entries)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/x-krita")
        archive.writestr("maindoc.xml", _main(group, spaces[depth], profile))
        for member, content in files.items():
            archive.writestr(f"{folder}/layers/{member}", content)


def _group(name, file, flags, entries):
    attributes = _attributes(name, "grouplayer", file, flags)
    inside = f"<layers>{''.join(reversed(entries))}</layers>"
    return f"<layer {attributes} compositeop='normal' opacity='255' passthrough='0'>{inside}</layer>"


def _main(group, space, profile):
    image = f"name='{folder}' mime='application/x-kra' width='1' height='1' x-res='72' y-res='72' description=''"
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        "<!DOCTYPE DOC PUBLIC '-//KDE//DTD krita 2.0//EN' 'http://www.calligra.org/DTD/krita-2.0.dtd'>\n"
        "<DOC xmlns='http://www.calligra.org/DTD/krita' editor='Krita' syntaxVersion='2.0' kritaVersion='5.2.0'>"
        f"<IMAGE {image} colorspacename='{space}' profile={quoteattr(profile)}><layers>{group}</layers></IMAGE></DOC>"
    )


def _attributes(name, kind, file, flags):
    given = f"name={quoteattr(name)} nodetype='{kind}' filename='{file}' channelflags='{flags}' uuid='{{{uuid4()}}}'"
    return f"{given} visible='1' locked='0' collapsed='0' colorlabel='0' x='0' y='0'"


def _settings(settings):
    lines = "".join(f" <param name={quoteattr(name)}>{text}</param>\n" for name, text in settings.items())
    return f"<!DOCTYPE params>\n<params version='1'>\n{lines}</params>\n"


def _tiles(name, outside):
    """The files of a plane without a tile, one value everywhere."""
    header = f"VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE {len(outside)}\nDATA 0\n"
    return {name: header, f"{name}.defaultpixel": outside}
