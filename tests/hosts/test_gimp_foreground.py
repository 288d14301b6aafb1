"""What the plug-in in real GIMP takes for foreground, background and reference."""

import numpy as np
import pytest
from gimp_scene import asking, brighter, harmonized, plain
from gimp_session import Session

pasted = [204, 128, 77]


@pytest.fixture(scope="module")
def ask(gimp_root):
    with Session(gimp_root, plain) as session:
        yield asking(session)


def test_the_engine_sees_what_lies_beneath_and_the_layers_shape(ask):
    answer = ask("image, under, pasted = scene(); answer['error'] = harmonize(image, pasted)")
    assert answer["error"] == ""
    mask = np.zeros((48, 64), np.uint8)
    mask[8:24, 10:20] = 255
    assert np.array_equal(ask.engine.plane("mask"), mask)
    assert (ask.engine.plane("background", 3) == (51, 102, 153)).all()
    assert (ask.engine.plane("composite", 3)[mask > 0] == pasted).all()
    assert ask.engine.asked[-1].get("reference_mask") is None


def test_layers_above_hidden_neighbours_and_its_own_group_do_not_count(ask):
    ask(
        """
image, under, pasted = scene()
hidden = layer_of(image, "Hidden", flat(1, 0, 0), W, H)
image.reorder_item(hidden, None, 2)
hidden.set_visible(False)
above = layer_of(image, "Above", flat(0, 1, 0, 0.5), W, H)
harmonize(image, pasted)
harmonize(image, pasted)
"""
    )
    first, second = ask.engine.asked[-2:]
    assert first == second
    assert (ask.engine.plane("background", 3) == (51, 102, 153)).all()


def test_a_layer_mask_the_selection_and_opacity_narrow_the_mask(ask):
    answer = ask(
        """
image, under, pasted = scene()
pasted.add_mask(pasted.create_mask(Gimp.AddMaskType.WHITE))
put_mask(pasted.get_mask(), struct.pack("<f", 0.6) * 320)
pasted.set_opacity(50)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 15, H)
answer["error"] = harmonize(image, pasted)
group = image.get_layers()[0]
answer["mask"] = list(numbers(group.get_mask()))
answer["selection"] = list(Gimp.Selection.bounds(image)[2:])
"""
    )
    expected = np.zeros((48, 64))
    expected[8:24, 10:15] = 0.3 * 255
    assert np.abs(np.reshape(answer["mask"], (48, 64)) - expected).max() <= 1
    assert np.abs(ask.engine.plane("mask") - expected).max() <= 1
    assert answer["selection"] == [0, 0, 15, 48]


@pytest.mark.parametrize("use", ["layer", "selection"])
def test_the_artist_may_choose_what_counts_as_foreground(ask, use):
    ask(
        f"""
image, under, pasted = scene()
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 15, 20)
answer["error"] = harmonize(image, pasted, foreground="{use}")
"""
    )
    mask = np.zeros((48, 64))
    mask[(slice(8, 24), slice(10, 20)) if use == "layer" else (slice(0, 20), slice(0, 15))] = 255
    assert np.array_equal(ask.engine.plane("mask"), mask)


def test_on_a_flat_picture_the_selection_is_the_foreground(ask):
    answer = ask(
        """
image, under, pasted = scene()
layer = image.flatten()
image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 8, 10, 16)
answer["error"] = harmonize(image, layer)
answer["inside"], answer["outside"] = at(image, 12, 10), at(image, 40, 40)
"""
    )
    assert answer["error"] == ""
    assert ask.engine.asked[-1].get("background") is None
    assert np.array_equal(np.argwhere(ask.engine.plane("mask")).min(0), (8, 10))
    assert answer["outside"] == [51, 102, 153, 255]
    assert np.abs(answer["inside"][:3] - harmonized(pasted)).max() <= 1


@pytest.mark.parametrize("offset", [(-30, -20), (40, 30), (-500, 0)])
def test_layers_that_reach_beyond_the_canvas(ask, offset):
    answer = ask(
        f"""
image, under, pasted = scene()
large = layer_of(image, "Large", flat(0.8, 0.5, 0.3, 1, 40 * 40), 40, 40, *{offset})
answer["error"] = harmonize(image, large)
answer["tree"] = tree(image)
"""
    )
    if offset == (-500, 0):
        assert "outside the canvas" in answer["error"]
        assert answer["tree"] == ["Large", "Pasted", "Background"]
        return
    x, y = offset
    mask = np.zeros((48, 64))
    mask[max(0, y) : max(0, y + 40), max(0, x) : max(0, x + 40)] = 255
    assert answer["error"] == ""
    assert np.array_equal(ask.engine.plane("mask"), mask)


@pytest.mark.parametrize("mode", ["PASS_THROUGH", "NORMAL"])
def test_inside_groups(ask, mode):
    """In a group that is blended by itself the layer's edge is half transparent there, and all of it is the layer's."""
    answer = ask(
        f"""
image, under, pasted = scene()
group = Gimp.GroupLayer.new(image, "Group")
image.insert_layer(group, None, 0)
group.set_mode(Gimp.LayerMode.{mode})
soft = layer_of(image, "Soft", flat(0.8, 0.5, 0.3, 0.5, 100), 10, 10, 30, 20, group)
answer["before"] = at(image, 32, 22)
answer["error"] = harmonize(image, soft)
answer["tree"], answer["after"] = tree(image), at(image, 32, 22)
"""
    )
    assert answer["error"] == ""
    assert answer["tree"][0] == ["Group", [["Harmonize: Soft", ["Light (darken)", ["Tone curves", []]]], "Soft"]]
    if mode == "PASS_THROUGH":
        before = np.array(answer["before"][:3])
        wished = before + 0.5 * (harmonized(before) - before)
    else:  # GIMP blends normal layers in linear light
        top, under = brighter.apply(np.array([[0.8, 0.5, 0.3]]))[0], np.array([0.2, 0.4, 0.6])
        wished = 255 * encoded((linear(top) + linear(under)) / 2)
    assert np.abs(answer["after"][:3] - wished).max() <= 2


def linear(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)


def encoded(light: np.ndarray) -> np.ndarray:
    return np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)


def test_another_layer_as_reference(ask):
    answer = ask(
        """
image, under, pasted = scene()
model = layer_of(image, "Model", flat(0.1, 0.9, 0.1, 1, 100), 10, 10, 40, 20)
model.set_visible(False)
answer["error"] = harmonize(image, pasted, reference="layer", reference_layer=model)
answer["itself"] = harmonize(image, pasted, reference="layer", reference_layer=pasted)
"""
    )
    assert answer["error"] == ""
    assert "another layer" in answer["itself"]
    reference = ask.engine.plane("reference_mask")
    assert reference[20:30, 40:50].min() == 255
    assert reference.sum(dtype=int) == 255 * 100
    assert (ask.engine.plane("background", 3)[20:30, 40:50] == (26, 230, 26)).all()


def test_a_channel_as_reference(ask):
    answer = ask(
        """
image, under, pasted = scene()
channel = Gimp.Channel.new(image, "Region", W, H, 50, Gegl.Color.new("red"))
image.insert_channel(channel, None, 0)
channel.set_visible(False)
put_mask(channel, (struct.pack("<f", 1) * 32 + struct.pack("<f", 0) * 32) * H)
answer["error"] = harmonize(image, pasted, reference="channel", reference_channel=channel)
answer["channels"] = len(image.get_channels())
answer["none"] = harmonize(image, pasted, reference="channel")
"""
    )
    assert answer["error"] == ""
    reference = ask.engine.plane("reference_mask")
    assert reference[:, :32].min() == 255
    assert reference[:, 32:].max() == 0
    assert answer["channels"] == 1
    assert "Choose a channel" in answer["none"]


def test_a_transparent_canvas(ask):
    """Over nothing the edge is all the layer's: half transparent pixels are changed in full."""
    answer = ask(
        """
image, under, pasted = scene()
image.remove_layer(under)
soft = layer_of(image, "Soft", flat(0.8, 0.5, 0.3, 0.5, 400), 20, 20, 40, 20)
answer["error"] = harmonize(image, soft)
answer["after"], answer["outside"] = at(image, 50, 30), at(image, 2, 2)
"""
    )
    assert answer["error"] == ""
    assert np.abs(answer["after"][:3] - harmonized(pasted)).max() <= 2
    assert answer["after"][3] == 128
    assert answer["outside"][3] == 0
    reference = ask.engine.plane("reference_mask")
    assert (reference[10, 12], reference[30, 50]) == (255, 0)
