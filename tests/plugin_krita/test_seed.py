"""The .kra that holds a group of layers to clone from."""

from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from harmonize_krita import seed

namespace = "{http://www.calligra.org/DTD/krita}"
leaves = [
    seed.Leaf("curves", "Tone curves", "copy", 200, "perchannel", {"nTransfers": "8", "curve1": "0,0;1,0.5;"}),
    seed.Leaf("white", "Limit", "darken", value=1),
    seed.Leaf("darken", "Darken", "multiply"),
]


@pytest.fixture
def archive(tmp_path):
    seed.write(tmp_path / "seed.kra", 'Harmonize: "me" & <you>', leaves, "F32", 'A "wide" profile', "Mask")
    with ZipFile(tmp_path / "seed.kra") as opened:
        yield opened


def test_the_first_entry_is_the_type_uncompressed(archive):
    first = archive.infolist()[0]
    assert (first.filename, first.compress_type, archive.read(first)) == ("mimetype", 0, b"application/x-krita")


def test_layers_lie_as_they_are_given_under_a_mask(archive):
    image = ElementTree.fromstring(archive.read("maindoc.xml")).find(f"{namespace}IMAGE")
    assert (image.get("colorspacename"), image.get("profile")) == ("RGBAF32", 'A "wide" profile')
    (group,) = image.find(f"{namespace}layers")
    assert group.get("name") == 'Harmonize: "me" & <you>'
    entries = [(one.get("name"), one.get("nodetype")) for one in group.find(f"{namespace}layers")]
    assert entries == [
        ("Mask", "transparencymask"),
        ("Darken", "paintlayer"),
        ("Limit", "paintlayer"),
        ("Tone curves", "adjustmentlayer"),
        ("anchor", "paintlayer"),
    ]


def test_a_group_inside_takes_the_alpha_of_what_is_beneath_it(tmp_path):
    seed.write(tmp_path / "seed.kra", "Outside", leaves, "U8", "sRGB", "Mask", "Inside")
    with ZipFile(tmp_path / "seed.kra") as opened:
        image = ElementTree.fromstring(opened.read("maindoc.xml")).find(f"{namespace}IMAGE")
        assert {"seed/layers/layer_beneath.defaultpixel", "seed/layers/layer0.defaultpixel"} < {*opened.namelist()}
    inside, beneath = image.find(f"{namespace}layers")[0].find(f"{namespace}layers")
    assert (inside.get("name"), inside.get("channelflags")) == ("Inside", "1110")
    assert (beneath.get("name"), beneath.get("nodetype")) == ("anchor", "paintlayer")
    names = [one.get("name") for one in inside.find(f"{namespace}layers")]
    assert names == ["Mask", "Darken", "Limit", "Tone curves", "anchor"]


def test_a_filter_acts_everywhere_and_a_limit_is_opaque(archive):
    assert archive.read("seed/layers/layer1.pixelselection.defaultpixel") == b"\xff"
    assert b'<param name="curve1">0,0;1,0.5;</param>' in archive.read("seed/layers/layer1.filterconfig")
    assert archive.read("seed/layers/layer2.defaultpixel") == b"\0\0\x80\x3f" * 4
    assert archive.read("seed/layers/layer3.defaultpixel") == bytes(16)
    assert archive.read("seed/layers/mask.pixelselection.defaultpixel") == b"\0"
