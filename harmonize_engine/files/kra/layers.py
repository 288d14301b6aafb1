"""Krita's layers and masks as values, and how a .kra holds them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from harmonize_engine.files.kra.filters import Filter
from harmonize_engine.files.kra.tiles import TiledPixels


@dataclass(frozen=True, eq=False)
class Layer:
    """One entry of the layer stack. type: Krita's node type; children: top first, a group's layers or another's masks.

    pixels: a paint layer's colours or the selection of a mask; filter: of a filter layer; source: of a clone.
    """

    type: str
    name: str
    opacity: float = 1.0
    blend: str = "normal"
    visible: bool = True
    inherit_alpha: bool = False
    pixels: TiledPixels | None = None
    filter: Filter | None = None
    source: "Layer | None" = None
    children: tuple["Layer", ...] = ()
    uuid: UUID = field(default_factory=uuid4)

    @property
    def file(self) -> str:
        """The name that its files begin with."""
        return f"{'mask' if self.is_mask else 'layer'}-{self.uuid}"

    @property
    def is_mask(self) -> bool:
        """Whether it is a mask of another layer."""
        return self.type == "transparencymask"

    def all(self) -> Iterator["Layer"]:
        """The layer and everything in it."""
        yield self
        for child in self.children:
            yield from child.all()

    def describe(self, parent: Element) -> None:
        """Add the layer to `maindoc.xml`."""
        attributes = {"nodetype": self.type, "name": self.name, "filename": self.file, "uuid": f"{{{self.uuid}}}"}
        attributes |= {"visible": str(int(self.visible)), "x": "0", "y": "0", "locked": "0", "colorlabel": "0"}
        if not self.is_mask:
            attributes |= {"opacity": str(round(255 * self.opacity)), "compositeop": self.blend, "collapsed": "0"}
            attributes["channelflags"] = "1110" if self.inherit_alpha else ""
        if self.type == "grouplayer":
            attributes["passthrough"] = "0"
        if self.filter is not None:
            attributes |= {"filtername": self.filter.id, "filterversion": str(self.filter.version)}
        if self.source is not None:
            attributes |= {"clonefrom": self.source.name, "clonefromuuid": f"{{{self.source.uuid}}}", "clonetype": "0"}
        element = SubElement(parent, "mask" if self.is_mask else "layer", attributes)
        if self.children:
            inside = SubElement(element, "masks" if self.children[0].is_mask else "layers")
            for child in self.children:
                child.describe(inside)

    def tiles(self) -> Iterator[tuple[str, TiledPixels]]:
        """The files that hold its pixels; a filter layer acts everywhere."""
        if self.filter is not None:
            yield f"{self.file}.pixelselection", TiledPixels.everywhere(np.array([255], np.uint8))
        if self.pixels is not None:
            yield f"{self.file}.pixelselection" if self.is_mask else self.file, self.pixels
