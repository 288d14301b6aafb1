"""Which layers the plug-in takes in real Krita, what it shows the engine, and how it renews what it made."""

import random
import subprocess
import sys

import numpy as np
import pytest
from krita_plugin import Desk, builder, height, light_map, native, scene, soft_disc, tone_curves, width

from harmonize_engine.harmonization import Harmonization
from harmonize_engine.pictures.depth import as_depth

start = f"""
from harmonize_krita import edits, record
width, height = {width}, {height}
noise, disc, mask = ((share / name).read_bytes() for name in ("background", "cutout", "mask"))

def picture():
    return document(width, height, background=noise)

def harmonize(made, layer, **options):
    before = shown(made)
    told = sentence(harmonize_krita.harmonize, made, layer, **options)
    return [told, shown(made) != before]

half = bytes(255 if x < 100 else 0 for y in range(height) for x in range(width))
made = picture()
"""


@pytest.fixture(scope="module")
def desk(krita_root) -> Desk:
    desk = Desk(krita_root)
    desk.put("background", native(scene()[::-1], np.ones((height, width)), "U8"))
    desk.put("cutout", native(scene(), soft_disc(), "U8"))
    desk.put("mask", as_depth(soft_disc(), np.uint8))
    return desk


taken = {
    "a group": "group = add(made, 'grouplayer', 'Things')\nadd(made, parent=group, pixels=disc)\nlayer = group",
    "a layer in a group": "layer = add(made, parent=add(made, 'grouplayer', 'Things'), pixels=disc)",
    "a layer in a group in pass-through": """
group = add(made, 'grouplayer', 'Things')
layer = add(made, parent=group, pixels=disc)
made.topLevelNodes()[1].setPassThroughMode(True)""",
    "a vector layer": """
layer = made.createVectorLayer('Shapes')
made.rootNode().addChildNode(layer, None)
layer.addShapesFromSvg('<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90" viewBox="0 0 90 90">'
                       '<rect x="20" y="20" width="50" height="40" fill="#ff8000"/></svg>')
import time
from harmonize_krita.qt import QCoreApplication
for _ in range(20):  # Krita draws shapes when its event loop runs
    QCoreApplication.processEvents()
    time.sleep(0.02)""",
    "a file layer": """
import time
small = document(60, 40, background=bytes([10, 200, 30, 255]) * 2400)
small.setBatchmode(True)
small.saveAs(str(share / 'small.kra'))
layer = made.createFileLayer('File', str(share / 'small.kra'), 'None')
made.rootNode().addChildNode(layer, None)
made.waitForDone()
time.sleep(0.5)""",
    "a clone layer": """
painted = add(made, pixels=disc)
layer = made.createCloneLayer('Clone', painted)
made.rootNode().addChildNode(layer, painted)
painted.setVisible(False)
made.waitForDone()""",
    "a transparency mask, which means its layer": """
painted = add(made, pixels=disc)
layer = made.createTransparencyMask('Mask')
chosen = Selection()
chosen.select(0, 0, 90, height, 255)
layer.setSelection(chosen)
painted.addChildNode(layer, None)""",
    "a locked layer": "layer = add(made, pixels=disc)\nlayer.setLocked(True)",
    "a layer that reaches outside the canvas": "layer = add(made, pixels=disc)\nlayer.move(60, 30)",
    "an animated layer": "layer = add(made, pixels=disc)\nlayer.enableAnimation()\nmade.setCurrentTime(3)",
    "a layer under another": """
layer = add(made, pixels=disc)
add(made, name='Above', pixels=bytes([9, 9, 9, 60]) * width * height)""",
    "a layer with a mode and opacity": """
layer = add(made, pixels=disc)
layer.setOpacity(100)
layer.setBlendingMode('screen')""",
}


@pytest.mark.parametrize("case", taken)
def test_all_kinds_of_layers_are_harmonized(desk, case):
    told, changed = desk.run(f"{start}{taken[case]}\nsaid = harmonize(made, layer)")
    assert changed
    assert told.startswith("Harmonized “")


refused = {
    "no_pixels": """
layer = made.createFilterLayer('Invert', krita.filter('invert'), Selection())
made.rootNode().addChildNode(layer, None)""",
    "pass_through": """
layer = add(made, 'grouplayer', 'Things')
add(made, parent=layer, pixels=disc)
made.topLevelNodes()[1].setPassThroughMode(True)""",
    "hidden": "layer = add(made, pixels=disc)\nlayer.setVisible(False)",
    "empty": "layer = add(made)",
    "covers_all": "layer = made.topLevelNodes()[0]",
    "reference_empty": "layer = add(made, pixels=disc)\nmade.topLevelNodes()[0].remove()\nmade.waitForDone()",
    "selection_misses": "layer = add(made, pixels=disc)\nselect(made, bytes(10 * [255] + (width * height - 10) * [0]))",
    "not_rgb": "made = krita.createDocument(60, 60, 'test', 'CMYKA', 'U8', '', 72)\nlayer = made.topLevelNodes()[0]",
}


@pytest.mark.parametrize("code", refused)
def test_what_cannot_be_is_told_in_a_sentence(desk, code):
    assert desk.run(f"{start}{refused[code]}\nsaid = harmonize(made, layer)") == [code, False]


@pytest.mark.parametrize("model", ["GRAYA", "LABA"])
def test_only_rgb(desk, model):
    made = f"made = krita.createDocument(60, 60, 'test', '{model}', 'U8', '', 72)\n"
    assert desk.run(made + "said = sentence(harmonize_krita.harmonize, made)") == "not_rgb"


def test_the_engine_sees_the_layer_on_what_is_beneath(desk):
    """What lies above does not count, and the plate is the picture without the layer."""
    script = """
layer = add(made, pixels=disc)
add(made, name="Above", pixels=bytes([0, 0, 0, 255]) * width * height)
harmonize(made, layer)
proxy = asked[-1]
for name in ("composite", "background", "mask"):
    (share / f"seen-{name}").write_bytes(getattr(proxy, name))
said = [proxy.width, proxy.height, proxy.reference_mask]
"""
    assert desk.run(start + script) == [width, height, None]
    seen = {name: np.fromfile(desk.root.share / f"seen-{name}", np.uint8) for name in ("composite", "background", "mask")}
    mask, plate = as_depth(soft_disc(), np.uint8), as_depth(scene()[::-1], np.uint8)
    pasted = plate + (as_depth(scene(), np.uint8) - plate.astype(float)) * (mask / 255)[..., None]
    assert np.array_equal(seen["mask"].reshape(mask.shape), mask)
    assert np.array_equal(seen["background"].reshape(plate.shape), plate)
    assert np.abs(seen["composite"].reshape(plate.shape) - pasted).max() <= 1


def test_a_large_picture_is_shrunk_to_512(desk):
    script = """
made = document(1500, 700, background=bytes([50, 60, 70, 255]) * 1500 * 700)
layer = add(made)
paint(made, layer, bytes([200, 100, 0, 255]) * 400 * 300, 500, 200, 400, 300)
said = harmonize(made, layer)
proxy = asked[-1]
said += [proxy.width, proxy.height, proxy.mask.count(255), list(proxy.composite[:3]), list(proxy.background[:3])]
"""
    _, changed, *seen, marked, corner, plate = desk.run(start + script)
    assert changed
    assert seen == [512, 239]
    assert abs(marked - 400 * 300 * (512 / 1500) ** 2) < 600
    assert corner == plate == [70, 60, 50]


def test_what_to_match_can_be_chosen(desk):
    script = """
other = add(made, name="Other", pixels=bytes([1, 2, 3, 255]) * width * height)
layer = add(made, pixels=disc)
said = {"nothing selected": sentence(harmonize_krita.harmonize, made, layer, reference="selection")}
select(made, half)
harmonize_krita.harmonize(made, layer, reference="selection")
weights = asked[-1].reference_mask
said["selection"] = [weights[0], weights[width - 1], weights[55 * width + 90]]
harmonize_krita.harmonize(made, layer, reference="layer", reference_layer=other)
said["layer"] = [list(asked[-1].background[:3]), asked[-1].reference_mask]
"""
    said = desk.run(start + script)
    assert said["nothing selected"] == "nothing_selected"
    assert said["selection"] == [255, 0, 0]  # selected; not selected; selected, but the foreground itself
    assert said["layer"] == [[3, 2, 1], None]


def test_layers_in_groups_can_be_matched(desk):
    """Offered as the Layers docker shows them, without the layer itself, what is around it and what Harmonize made."""
    script = """
from harmonize_krita import references, settings
things = add(made, "grouplayer", "Things")
layer = add(made, parent=things, pixels=disc)
inner = add(made, "grouplayer", "Inner", things)
deep = add(made, name="Deep", parent=inner, pixels=bytes([1, 2, 3, 255]) * width * height)
harmonize(made, layer)
said = {"names": [name for name, _ in references.offered(made, layer)]}
settings.put("reference", record.name_of(deep))
elsewhere = references.chosen(picture(), None)
said["chosen"] = [references.chosen(made, layer)[1] == deep, references.chosen(made, deep), elsewhere]
told = harmonize(made, layer, reference="layer", reference_layer=deep)
said["seen"] = [told[0], list(asked[-1].background[:3])]
said["itself"] = sentence(harmonize_krita.harmonize, made, layer, reference="layer", reference_layer=layer)
settings.put("reference", "beneath")
"""
    said = desk.run(start + script)
    layers = ["   Layer “Inner”", "      Layer “Deep”", "Layer “Background”"]
    assert said["names"] == ["What is beneath", "The selection", *layers]
    assert said["chosen"] == [True, ["beneath", None], ["beneath", None]]  # another picture has no such layer
    assert said["seen"] == ["Updated “Pasted”.", [3, 2, 1]]
    assert said["itself"] == "itself"


def test_a_selected_part_of_a_layer_is_marked_by_a_mask(desk):
    script = """
layer = add(made, pixels=disc)
select(made, half)
said = harmonize(made, layer)
inner = made.topLevelNodes()[2].childNodes()[1]
said += [layer.opacity(), inner.name(), inner.inheritAlpha(), [one.type() for one in inner.childNodes()][-1]]
"""
    assert desk.run(start + script) == ["Harmonized “Pasted”.", True, 0, "Selected part", True, "transparencymask"]


def test_a_selected_part_of_an_opaque_layer_in_another_mode_is_not_mixed_twice(desk):
    script = """
layer = add(made, pixels=bytes([40, 80, 120, 255]) * width * height)
layer.setOpacity(150)
layer.setBlendingMode("screen")
select(made, half)
before = shown(made)
harmonize(made, layer)
harmonize_krita.strengthen(0, 0, made, layer)
said = [shown(made) == before, layer.opacity()]
harmonize_krita.remove(made, layer)
said += [shown(made) == before, layer.opacity()]
"""
    assert desk.run(start + script) == [True, 0, True, 150]


def test_again_renews_the_same_group(desk):
    script = """
layer = add(made, pixels=disc)
harmonize(made, layer)
first, known = shown(made), record.read(made)[0]
said = harmonize(made, layer)
said += [shown(made) == first, record.read(made)[0].group == known.group, len(made.topLevelNodes())]
said.append(asked[0] == asked[1])
said += harmonize(made, made.topLevelNodes()[2].childNodes()[1])  # from a layer in the group
"""
    assert desk.run(start + script) == ["Updated “Pasted”.", False, True, True, 3, True, "Updated “Pasted”.", False]


def test_curves_that_the_artist_has_edited_are_kept_unless_told_otherwise(desk):
    script = """
layer = add(made, pixels=disc)
harmonize(made, layer)
ours = shown(made)
curves, darken = made.topLevelNodes()[2].childNodes()[1:3]
said = [edits.edited(made, record.read(made)[0])]
curves.filter().configuration().setProperties({"curve1": "0,0;0.5,0.8;1,1;"})
paint(made, darken, bytes([90, 90, 90, 255]) * 400, 80, 50, 20, 20)
theirs = shown(made)
said.append(edits.edited(made, record.read(made)[0]))
said += harmonize(made, layer) + [shown(made) == theirs]
said += harmonize(made, layer, keep_edits=False) + [shown(made) == ours, edits.edited(made, record.read(made)[0])]
"""
    names = ["Tone curves", "Darken"]
    kept = "Updated “Pasted”. Kept as you edited it: Tone curves, Darken."
    assert desk.run(start + script) == [[], names, kept, False, True, "Updated “Pasted”.", True, True, []]


def test_a_new_result_may_need_other_layers(desk):
    """Light that was not needed before is added, light that is not needed any more changes nothing."""
    script = """
layer = add(made, pixels=disc)
harmonize(made, layer)
said = [[one.name() for one in made.topLevelNodes()[2].childNodes()]]
answer = json.loads((share / "answer.json").read_text())
full = dict(answer, harmonization=json.loads((share / "other").read_text()))
(share / "answer.json").write_text(json.dumps(full))
said += harmonize(made, layer)
said.append([one.name() for one in made.topLevelNodes()[2].childNodes()])
renewed = shown(made)
harmonize_krita.remove(made, layer)
harmonize(made, layer)
said.append(shown(made) == renewed)
"""
    darker = Harmonization((tone_curves(1), light_map(0.5, 0.9)), "test", "1")
    brighter = Harmonization((tone_curves(1), light_map(1.1, 1.9)), "test", "1")
    (desk.root.share / "other").write_text(brighter.to_json())
    made, told, _, grown, same = desk.run(start + script, answer=darker)
    assert made == ["Pasted (clone)", "Tone curves", "Darken"]
    assert told == "Updated “Pasted”."
    assert grown == ["Pasted (clone)", "Tone curves", "Darken", "Brighten"]
    assert same


@pytest.mark.parametrize(
    ("harmony", "reason"), [(0.9, "“Pasted” already fits"), (0.28, "Harmonizing “Pasted” would probably not help")]
)
def test_what_the_engine_would_leave_is_left_alone_unless_wanted(desk, harmony, reason):
    script = f"""
harmony = {harmony}
answer = json.loads((share / "answer.json").read_text())
answer["harmonization"]["confidence"] = dict(before=harmony, after=harmony, leave=True)
(share / "answer.json").write_text(json.dumps(answer))
layer = add(made, pixels=disc)
said = harmonize(made, layer) + harmonize(made, layer, anyway=True)
"""
    left, changed, added, changed_then = desk.run(start + script)
    assert (left, changed) == (f"{reason}: nothing was added.", False)
    assert (added, changed_then) == ("Harmonized “Pasted”.", True)


def test_painting_on_the_layer_shows_through_harmonized(desk):
    script = """
layer = add(made, pixels=disc)
harmonize(made, layer)
before = shown(made)
paint(made, layer, bytes([20, 40, 220, 255]) * 100, 90, 50, 10, 10)
there = 4 * (55 * width + 95)
after = shown(made)
said = [before != after, list(after[there : there + 3])]
harmonize_krita.show(False, made, layer)
said.append(list(shown(made)[there : there + 3]))
"""
    changed, harmonized, plain = desk.run(start + script)
    assert changed
    assert plain == [20, 40, 220]
    assert harmonized != plain


def test_kritas_own_importer_takes_the_zip(desk):
    """Tools > Scripts > Import Python Plugin from File, of a zip that carries the installer."""
    installer = desk.root.share / "built.pyz"
    installer.write_bytes(random.Random(1).randbytes(9 << 20))
    subprocess.run([sys.executable, builder, desk.root.share / "plugin.zip", installer], check=True)
    script = """
sys.path.append("/usr/share/krita/pykrita")
from plugin_importer.plugin_importer import PluginImporter
(share / "resources").mkdir()
found = PluginImporter(str(share / "plugin.zip"), str(share / "resources"), lambda plugin: True).import_all()
files = [str(path.relative_to(share / "resources")) for path in (share / "resources").rglob("*") if path.is_file()]
said = [[plugin["name"] for plugin in found], sorted(files)]
"""
    names, files = desk.run(script)
    assert names == ["harmonize_krita"]
    assert {"actions/harmonize_krita.action", "pykrita/harmonize_krita.desktop"} < {*files}
    assert "pykrita/harmonize_krita/engine_client.py" in files
    imported = desk.root.share / "resources/pykrita/harmonize_krita/harmonize-install.pyz"
    assert imported.read_bytes() == installer.read_bytes()


def test_after_a_conversion_the_layers_are_made_anew(desk):
    """Krita itself has rewritten them, which is no edit of the artist's."""
    script = """
made = document(width, height, "U16", linear)
paint(made, made.topLevelNodes()[0], (share / "background16").read_bytes())
layer = add(made, pixels=(share / "cutout16").read_bytes())
said = harmonize(made, layer)
made.setColorSpace("RGBA", "U8", srgb)
made.waitForDone()
said += [edits.edited(made, record.read(made)[0])]
said += harmonize(made, layer)
renewed = shown(made)
said += [len(made.topLevelNodes()), layer.opacity()]
harmonize_krita.remove(made, layer)
harmonize(made, layer)
said.append(shown(made) == renewed)
"""
    desk.put("background16", native(scene()[::-1] ** 2.2, np.ones((height, width)), "U16"))
    desk.put("cutout16", native(scene() ** 2.2, soft_disc(), "U16"))
    told, _, edited, then, changed, layers, opacity, same = desk.run(start + script)
    assert told == "Harmonized “Pasted”. The document is linear: close, not exact."
    assert (edited, then, changed) == ([], "Harmonized “Pasted” anew.", True)
    assert (layers, opacity, same) == (3, 0, True)
