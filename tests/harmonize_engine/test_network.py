"""The weights that ship, on pictures whose right answer is known."""

import hashlib
import json
import math
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harmonize_engine import Composite, Curves, HarmonizeError, Shading, harmonize, proxy, render
from harmonize_engine.evaluation.metrics import measure
from harmonize_engine.looks import View, input_size
from harmonize_engine.network import Network, folder, most_together
from harmonize_engine.shading import step
from harmonize_engine.window import Window, around

examples = Path(__file__).parents[2] / "examples"


def picture(name):
    return np.asarray(Image.open(examples / name))


composite, mask = picture("jug-evening.jpg"), picture("jug-evening-mask.png")
truth, plate = picture("jug-evening-truth.png"), picture("jug-evening-background.jpg")


def test_a_pasted_jug_comes_nearer_to_the_jug_rendered_in_place():
    result = render(composite, mask, harmonize(proxy(composite, mask, plate)))
    assert measure(result, truth, mask).fmse < 0.95 * measure(composite, truth, mask).fmse


def spoiled_jug():
    """The jug that fits, made too dark and too blue."""
    m = mask[..., None] / 255
    return (truth * (1 - m) + truth * m * np.array([0.45, 0.6, 0.9])).round().astype(np.uint8)


def test_a_foreground_that_was_spoiled_comes_back():
    spoiled = spoiled_jug()
    found = harmonize(proxy(spoiled, mask))
    assert measure(render(spoiled, mask, found), truth, mask).fmse < 0.6 * measure(spoiled, truth, mask).fmse
    assert found.confidence is not None
    assert found.confidence.after > found.confidence.before
    assert not found.leave


def test_an_untouched_photograph_is_left_nearly_as_it_is():
    portrait = np.asarray(Image.open(examples / "officer-library-cutout.png").convert("RGB"))
    inside = np.zeros(portrait.shape[:2], np.uint8)
    inside[150:420, 160:350] = 255
    result = render(portrait, inside, harmonize(proxy(portrait, inside)))
    assert np.abs(result.astype(int) - portrait)[inside == 255].mean() < 8


def test_the_answer_is_curves_then_light_and_says_where_it_came_from():
    found = harmonize(proxy(composite, mask))
    assert [type(adjustment) for adjustment in found.adjustments] == [Curves, Shading]
    assert found.weights_sha256 == hashlib.sha256((folder / "parametric.onnx").read_bytes()).hexdigest()
    assert (found.model, found.version) == ("parametric", json.loads((folder / "parametric.json").read_text())["version"])


def test_the_same_picture_gets_the_same_answer():
    assert harmonize(proxy(composite, mask)) == harmonize(proxy(composite, mask))


def test_a_mirrored_picture_gets_the_same_curves_and_mirrored_light(tmp_path):
    """At the first look, which sees mirror images as well; the second does not."""
    network = Network.load("parametric", with_card(tmp_path, again=0))
    seen = proxy(composite, mask)
    curves, light = network.harmonize(seen).adjustments
    turned, mirrored = network.harmonize(Composite(seen.image[:, ::-1], seen.mask[:, ::-1])).adjustments
    np.testing.assert_allclose(turned.y, curves.y, atol=5e-4)  # pixels are averaged from the left
    np.testing.assert_allclose(mirrored.gain[:, ::-1], light.gain, atol=2e-3)


def test_the_answer_hardly_depends_on_the_size_of_the_picture():
    small = [np.asarray(Image.fromarray(p).resize((640, 360), Image.Resampling.BOX)) for p in (composite, mask)]
    large, less = harmonize(proxy(composite, mask)), harmonize(proxy(*small))
    differences = render(composite, mask, large).astype(int) - render(composite, mask, less)
    assert np.abs(differences).max() <= 3


@pytest.mark.parametrize("side", [128, 160, 192, 256, 512])
@pytest.mark.parametrize(("height", "width"), [(1080, 1920), (1920, 1080), (500, 500), (600, 12_000)])
def test_a_networks_input_has_the_pictures_shape_in_multiples_of_16(height, width, side):
    rows, columns = input_size(height, width, side)
    assert rows % 16 == columns % 16 == 0
    assert 0.7 < rows * columns / side**2 < 1.4
    assert (rows < columns) == (height < width)


def with_card(tmp_path, **changes):
    """The weights that ship under a card that says something else."""
    shutil.copy(folder / "parametric.onnx", tmp_path)
    card = json.loads((folder / "parametric.json").read_text()) | changes
    (tmp_path / "parametric.json").write_text(json.dumps(card))
    return tmp_path


def small_jug():
    """The jug on a canvas of nine times the area, mirrored all around."""
    canvas = np.pad(composite, ((1080, 1080), (1920, 1920), (0, 0)), "symmetric")[::3, ::3]
    return canvas, np.pad(mask, ((1080, 1080), (1920, 1920)))[::3, ::3]


def test_a_small_foreground_is_looked_at_from_afar_and_from_near(tmp_path):
    network = Network.load("parametric", with_card(tmp_path, window=0.5))
    counting = Counting(network.session)
    replace(network, session=counting).harmonize(proxy(*small_jug()))
    assert sum(shape[0] for shape in counting.runs) == 6  # composite, twice and mirrored, and result, twice


def test_light_falls_where_the_foreground_is(tmp_path):
    """Seen from near alone, the jug on the large canvas is the jug: in the middle of it light is as it was."""
    canvas, small = small_jug()
    network = Network.load("parametric", with_card(tmp_path, window=0))
    whole = proxy(canvas, small)
    window = around(whole.mask, 0.5)
    (near,) = network._run([View.of(whole, window, 128)], mirrored=True)
    (cut,) = network._run([View.of(window.cut(whole), Window(0, window.height, 0, window.width), 128)], mirrored=True)
    inside = near.light.upsample(*whole.mask.shape)[window.top : window.bottom, window.left : window.right]
    assert np.abs(inside - cut.light.upsample(window.height, window.width)).max() < 0.05
    assert np.array_equal(near.curves, cut.curves)


def test_a_cautious_card_carries_corrections_on_or_leaves_them(tmp_path):
    plain, bold, shy = (
        Network.load("parametric", with_card(tmp_path, caution={"boldness": boldness, "reserve": reserve}))
        for boldness, reserve in ((1, 0), (1.3, 0), (1, 200))
    )
    seen = proxy(composite, mask)
    (_, moved), (_, further), (nothing, not_at_all) = (n.opinions_of_all([seen])[0] for n in (plain, bold, shy))
    assert further.moved > 1.15 * moved.moved and not_at_all.moved < 0.01
    assert nothing.is_identity and shy.harmonize(seen).leave


def test_a_second_look_may_correct_the_first_result(tmp_path):
    def left(**changes):
        network = Network.load("parametric", with_card(tmp_path, caution={"boldness": 1, "reserve": 0}, **changes))
        return measure(render(spoiled, mask, network.harmonize(proxy(spoiled, mask))), truth, mask).fmse

    spoiled = spoiled_jug()
    once, twice = left(again=0), left(again=1)
    assert twice < 0.8 * once < 0.8 * measure(spoiled, truth, mask).fmse


@pytest.mark.parametrize("caution", [{"boldness": 0, "reserve": 0}, {"boldness": 1}, [1, 2], "none"])
def test_a_card_with_no_caution_that_can_be_is_refused(tmp_path, caution):
    with pytest.raises(HarmonizeError) as error:
        Network.load("parametric", with_card(tmp_path, caution=caution))
    assert error.value.code == "weights_broken"


@pytest.mark.parametrize("again", [-0.1, 1.5, "twice"])
def test_a_card_with_a_share_of_a_second_correction_that_cannot_be_is_refused(tmp_path, again):
    with pytest.raises(HarmonizeError) as error:
        Network.load("parametric", with_card(tmp_path, again=again))
    assert error.value.code == "weights_broken"


@pytest.mark.parametrize("window", [-0.1, 1.5, "half"])
def test_a_card_with_a_window_that_cannot_be_is_refused(tmp_path, window):
    with pytest.raises(HarmonizeError) as error:
        Network.load("parametric", with_card(tmp_path, window=window))
    assert error.value.code == "weights_broken"


@pytest.mark.parametrize("side", [128, 160, 192, 256, 512])
def test_every_network_sees_pictures_of_the_size_that_its_card_tells(tmp_path, side):
    wider = Network.load("parametric", with_card(tmp_path, side=side, window=0))
    counting = Counting(wider.session)
    replace(wider, session=counting).harmonize(proxy(composite, mask))
    assert {shape[2:] for shape in counting.runs} == {input_size(*mask.shape, side)}


def test_a_card_that_tells_no_size_is_of_a_time_when_there_was_only_one(tmp_path):
    card = json.loads((with_card(tmp_path) / "parametric.json").read_text())
    card.pop("side", None)
    (tmp_path / "parametric.json").write_text(json.dumps(card))
    assert Network.load("parametric", tmp_path).card.side == 128


@pytest.mark.parametrize("side", [0, 100, 48, 4096, "wide"])
def test_a_card_with_a_size_that_no_network_can_have_is_refused(tmp_path, side):
    with pytest.raises(HarmonizeError) as error:
        Network.load("parametric", with_card(tmp_path, side=side))
    assert error.value.code == "weights_broken"


def test_changed_weights_are_never_run(tmp_path):
    shutil.copytree(folder, tmp_path / "weights")
    with (tmp_path / "weights" / "parametric.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\1\2\3")
    with pytest.raises(HarmonizeError) as error:
        Network.load("parametric", tmp_path / "weights")
    assert error.value.code == "weights_changed"


@pytest.mark.parametrize("gone", ["parametric.onnx", "parametric.json"])
def test_missing_weights_are_named(tmp_path, gone):
    shutil.copytree(folder, tmp_path / "weights")
    (tmp_path / "weights" / gone).unlink()
    with pytest.raises(HarmonizeError) as error:
        Network.load("parametric", tmp_path / "weights")
    assert error.value.code == "weights_missing"


def test_an_unknown_model_is_answered_with_the_known_ones():
    with pytest.raises(HarmonizeError, match="parametric, statistics"):
        harmonize(proxy(composite, mask), "magic")


network = Network.load("parametric")
sides = st.sampled_from([(16, 16), (20, 20), (48, 64), (60, 80), (70, 30), (400, 20)])  # four sizes of the network's input


@st.composite
def composites(draw):
    height, width = draw(sides)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    image, plate = random.random((2, height, width, 3), np.float32)
    inside, matched = random.random((2, height, width), np.float32)
    return Composite(image, inside, plate if draw(st.booleans()) else None, matched if draw(st.booleans()) else None)


class Counting:
    """A session that keeps the sizes it was run with."""

    def __init__(self, session):
        self.session, self.runs = session, []

    def run(self, outputs, feed):
        self.runs.append(feed["mask"].shape)
        return self.session.run(outputs, feed)


@settings(max_examples=30, deadline=None)
@given(st.lists(composites(), min_size=1, max_size=8))
def test_several_at_once_get_what_each_gets_alone(several):
    counting = Counting(network.session)
    together = replace(network, session=counting).harmonize_all(several)
    for one, found in zip(several, together, strict=True):
        alone = network.harmonize(one)
        for ours, theirs in zip(alone.adjustments, found.adjustments, strict=True):
            if isinstance(ours, Curves):
                np.testing.assert_allclose(ours.y, theirs.y, atol=1e-5)
            else:
                np.testing.assert_allclose(ours.gain, theirs.gain, atol=2.01 * step)  # roundings of both looks
        assert alone.confidence.before == pytest.approx(found.confidence.before, abs=1.01e-4)
        assert alone.confidence.after == pytest.approx(found.confidence.after, abs=1.01e-4)
    alike = Counter(input_size(*one.mask.shape, network.card.side) for one in several)
    assert len(counting.runs) == 2 * sum(math.ceil(count / most_together) for count in alike.values())
    assert {shape[2:] for shape in counting.runs} == set(alike)


@settings(max_examples=10, deadline=None)
@given(st.lists(composites(), min_size=1, max_size=3))
def test_bytes_get_what_their_floats_get(several):
    """The server keeps the planes of waiting requests as they came, in 8 bits."""
    waiting = [
        Composite(*(None if p is None else np.rint(255 * p).astype(np.uint8) for p in planes(one))) for one in several
    ]
    floats = [Composite(*(None if p is None else p / np.float32(255) for p in planes(one))) for one in waiting]
    assert network.harmonize_all(waiting) == network.harmonize_all(floats)
    assert network.harmony_of_all(waiting) == network.harmony_of_all(floats)


def planes(one):
    return one.image, one.mask, one.background, one.reference


@pytest.mark.parametrize("plane", ["image", "mask", "background", "reference"])
def test_values_that_are_no_numbers_are_refused(plane):
    good = proxy(composite, mask, plate, mask)
    broken = getattr(good, plane).copy()
    broken[40, 50] = np.nan
    with pytest.raises(HarmonizeError) as refusal:
        network.harmonize_all([good, replace(good, **{plane: broken}), good])
    assert refusal.value.code == "not_finite"


def test_a_device_that_fails_at_work_is_named():
    class Failing:
        def run(self, outputs, feed):
            raise RuntimeError("CUDA failure 700: illegal memory access")

    with pytest.raises(HarmonizeError, match="device cpu") as failure:
        replace(network, session=Failing()).harmonize(proxy(composite, mask))
    assert failure.value.code == "device_failed"


def test_a_loaded_network_tells_what_it_runs_on():
    assert (network.device.name, network.device.reason) == ("cpu", "")
