"""What the plug-in adds to an artist's layers in real GIMP, and what it keeps when it is asked again."""

import numpy as np
import pytest
from gimp_scene import asking, harmonized, plain
from gimp_session import Session
from xcf_pictures import light_map, tone_curves

from harmonize_engine.harmonization import Harmonization

both = Harmonization((tone_curves(np.random.default_rng(20)), light_map(0.5, 1.9)), "test", "1")
pasted = [204, 128, 77]


@pytest.fixture(scope="module")
def ask(gimp_root):
    with Session(gimp_root, plain) as session:
        yield asking(session)


def test_the_group_and_what_it_holds(ask):
    answer = ask(
        """
image, under, pasted = scene()
answer["error"] = harmonize(image, pasted, color_strength=60, light_strength=35)
answer["layers"] = [described(layer) for layer in image.get_layers()]
group = image.get_layers()[0]
answer["parameters"] = bytes(group.get_parasite("harmonize").get_data()).decode()
""",
        both,
    )
    assert answer["error"] == ""
    group, layer, _ = answer["layers"]
    assert (group["name"], group["mode"]) == ("Harmonize: Pasted", "pass-through")
    assert (group["masked"], group["opacity"]) == (True, 100)
    assert [(c["name"], c["mode"], c["opacity"], c["effects"]) for c in group["children"]] == [
        ("Clip highlights", "darken-only", 100, []),
        ("Light (brighten)", "divide", 35, []),
        ("Light (darken)", "multiply", 35, []),
        ("Tone curves", "pass-through", 60, ["Harmonize: tone curves"]),
    ]
    assert (layer["name"], layer["effects"]) == ("Pasted", [])
    assert Harmonization.from_json(answer["parameters"]) == both


def test_several_layers_each_in_turn(ask):
    answer = ask(
        """
image, under, pasted = scene()
other = layer_of(image, "Other", flat(0.9, 0.9, 0.1, 1, 100), 10, 10, 40, 20)
image.set_selected_layers([pasted, other])
answer["error"] = harmonize(image, pasted, other)
answer["tree"] = tree(image)
answer["selected"] = [layer.get_name() for layer in image.get_selected_layers()]
"""
    )
    assert answer["error"] == ""
    tops = [entry if isinstance(entry, str) else entry[0] for entry in answer["tree"]]
    assert tops == ["Harmonize: Other", "Other", "Harmonize: Pasted", "Pasted", "Background"]
    assert sorted(answer["selected"]) == ["Other", "Pasted"]


def test_points_to_drag_or_free_hand(ask):
    answer = ask(
        """
import re
for curves in ("points", "exact"):
    image, under, pasted = scene()
    harmonize(image, pasted, curves=curves)
    save(image, "/session/share/saved.xcf")
    text = held("/session/share/saved.xcf").decode("latin-1")
    answer[curves] = re.findall(r"channel (red|green|blue)\\)\\s*\\(curve\\s*\\(curve-type (\\w+)\\)", text)
    answer[curves + " look"] = at(image, 12, 10)
"""
    )
    assert answer["points"] == [["red", "smooth"], ["green", "smooth"], ["blue", "smooth"]]
    assert answer["exact"] == [["red", "free"], ["green", "free"], ["blue", "free"]]
    assert np.abs(np.subtract(answer["points look"], answer["exact look"])).max() <= 1


def test_again_updates_the_group_and_keeps_what_the_artist_set(ask):
    answer = ask(
        """
image, under, pasted = scene()
harmonize(image, pasted)
group = image.get_layers()[0]
group.set_opacity(40)
group.set_visible(False)
group.set_name("Mine")
group.get_children()[-1].set_opacity(30)
own = layer_of(image, "Own", flat(1, 1, 1, 1, 4), 2, 2, 0, 0, group)
image.reorder_item(group, None, 1)
save(image, "/session/share/saved.xcf")
again = load("/session/share/saved.xcf")
answer["error"] = harmonize(again, again.get_layers()[0])
answer["layers"] = [described(layer) for layer in again.get_layers()]
"""
    )
    assert answer["error"] == ""
    assert [layer["name"] for layer in answer["layers"]] == ["Pasted", "Mine", "Background"]
    group = answer["layers"][1]
    assert group["opacity"] == 40
    assert not group["visible"]
    assert [child["name"] for child in group["children"]].count("Own") == 1
    assert [child["opacity"] for child in group["children"] if child["effects"]] == [30]


def test_untouched_curves_are_updated(ask):
    answer = ask(
        """
image, under, pasted = scene()
answer["first"] = harmonize(image, pasted, color_strength=50)
answer["half"] = at(image, 12, 10)
answer["again"] = harmonize(image, pasted, color_strength=100)
answer["whole"] = at(image, 12, 10)
answer["tree"] = tree(image)
"""
    )
    assert answer["tree"][0] == ["Harmonize: Pasted", ["Light (darken)", ["Tone curves", []]]]  # not numbered
    whole = harmonized(pasted)
    assert np.abs(answer["half"][:3] - (pasted + whole) / 2).max() <= 1
    assert np.abs(answer["whole"][:3] - whole).max() <= 1


@pytest.mark.parametrize("replace", [False, True])
def test_edited_curves_are_kept_unless_replacing_is_asked_for(ask, replace):
    """The edit: in the saved file every sample of the curves is another one."""
    answer = ask(
        """
import re
image, under, pasted = scene()
answer["first"] = harmonize(image, pasted)
save(image, "/session/share/edited.xcf")
def other(numbers):
    return b" ".join(b"0." + b"5" * (len(n) - 2) if len(n) > 4 else n for n in numbers.split(b" "))
content = held("/session/share/edited.xcf")
content = re.sub(rb"(samples 256 )([^)]*)", lambda found: found[1] + other(found[2]), content)
keep("/session/share/edited.xcf", content)
image = load("/session/share/edited.xcf")
pasted = image.get_layers()[1]
answer["edited"] = at(image, 12, 10)
"""
        f"""
answer["error"] = harmonize(image, pasted, replace_edits={replace})
answer["after"] = at(image, 12, 10)
answer["again"] = harmonize(image, pasted)
answer["later"] = at(image, 12, 10)
answer["groups"] = len(image.get_layers())
"""
    )
    assert answer["first"] == answer["error"] == answer["again"] == ""
    assert answer["groups"] == 3
    assert np.abs(answer["edited"][:3] - harmonized(pasted)).max() > 20
    if replace:
        assert np.abs(answer["after"][:3] - harmonized(pasted)).max() <= 1
    else:
        assert answer["after"] == answer["later"] == answer["edited"]


def test_a_painted_mask_is_kept(ask):
    answer = ask(
        """
image, under, pasted = scene()
harmonize(image, pasted)
mask = image.get_layers()[0].get_mask()
put_mask(mask, struct.pack("<f", 1) * (W * 24) + struct.pack("<f", 0) * (W * 24))
painted = bytes(numbers(mask))
answer["error"] = harmonize(image, pasted)
answer["kept"] = bytes(numbers(image.get_layers()[0].get_mask())) == painted
answer["again"] = harmonize(image, pasted)
answer["still"] = bytes(numbers(image.get_layers()[0].get_mask())) == painted
answer["replace"] = harmonize(image, pasted, replace_edits=True)
answer["replaced"] = bytes(numbers(image.get_layers()[0].get_mask())) != painted
"""
    )
    assert answer == {"error": "", "kept": True, "again": "", "still": True, "replace": "", "replaced": True}


def test_the_group_or_the_mask_selected_stand_for_their_layer(ask):
    answer = ask(
        """
image, under, pasted = scene()
pasted.add_mask(pasted.create_mask(Gimp.AddMaskType.WHITE))
answer["mask"] = harmonize(image, pasted.get_mask())
group = image.get_layers()[0]
answer["group"] = harmonize(image, group)
answer["child"] = harmonize(image, image.get_layers()[0].get_children()[0])
answer["count"] = len(image.get_layers())
"""
    )
    assert answer == {"mask": "", "group": "", "child": "", "count": 3}
