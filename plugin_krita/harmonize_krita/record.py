# SPDX-License-Identifier: GPL-3.0-or-later
"""What Harmonize remembers of its groups, inside the document: an annotation, which a .kra keeps."""

import json
from dataclasses import asdict, dataclass, field

from .qt import QByteArray, QUuid

annotation = "harmonize-layers"
description = "Harmonize: the layers it made"
kept = 50  # groups that are gone are remembered too: undo may bring them back


@dataclass
class Part:
    """One native layer of a group. role: "curves", "saturation", "darken", "brighten", "light", or that of a limit.

    strength: its share of the strength for its kind; written: what it held when Harmonize left it, anything else is the
    artist's.
    """

    role: str
    layer: str
    strength: float = 1.0
    written: dict = field(default_factory=dict)


@dataclass
class Record:
    """One group: which layer it harmonizes and how.

    is_flat: its mask marks the foreground, else the layer's own alpha does.
    """

    group: str
    source: str
    is_flat: bool
    harmonization: dict
    parts: list = field(default_factory=list)
    opacity: int = 255  # the source's own: in the group its clone shows instead, and it is kept at 0
    color_strength: float = 1.0
    light_strength: float = 1.0
    exact: bool = False
    keeps_alpha: bool = False  # the mask marks a part of a layer with its own alpha: its adjustments are in a group inside
    canvas: list = field(default_factory=list)  # what the layers were made for, see `canvas_of`


def read(document):
    """All records of a document; none where the annotation is not ours."""
    try:
        entries = json.loads(bytes(document.annotation(annotation)) or b"[]")
        return [Record(**{**entry, "parts": [Part(**part) for part in entry["parts"]]}) for entry in entries]
    except (ValueError, TypeError, KeyError):
        return []


def keep(document, record):
    """Add or renew the record of a group."""
    others = [other for other in read(document) if other.group != record.group]
    entries = [asdict(entry) for entry in [*others, record][-kept:]]
    content = QByteArray(json.dumps(entries, separators=(",", ":")).encode())
    document.setAnnotation(annotation, description, content)


def canvas_of(document):
    """Depth, profile and size: when these change, Krita rewrites the layers, and they are to be made anew."""
    return [document.colorDepth(), document.colorProfile(), document.width(), document.height()]


def node(document, uuid):
    """The layer of an id, None if it is not in the document now."""
    found = document.nodeByUniqueID(QUuid(uuid))
    return found if found is not None and found.parentNode() is not None else None


def name_of(node_):
    """A layer's id as text."""
    return node_.uniqueId().toString()
