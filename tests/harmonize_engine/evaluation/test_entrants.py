import shutil

import numpy as np
import pytest
from PIL import Image, ImageFilter

from harmonize_engine import HarmonizeError, engine
from harmonize_engine.curves import Curves
from harmonize_engine.evaluation import entrants
from harmonize_engine.evaluation.judge import compare
from harmonize_engine.evaluation.onnx_file import Lpips, opened
from harmonize_engine.harmonization import Confidence, Harmonization
from harmonize_engine.network import folder as weights
from harmonize_engine.shading import from_gain
from tests.harmonize_engine.evaluation.conftest import scene
from tests.harmonize_engine.evaluation.tiny_onnx import network

darker = scene(0.7)
picture, plane = (1, 3, "h", "w"), (1, 1, "h", "w")


def fmse(name: str, of=darker) -> float:
    (entrant,) = entrants.load([name])
    return compare(entrant.answer(of).pixels, of.truth, of.mask).fmse


def refused(code: str, *names: str) -> None:
    with pytest.raises(HarmonizeError) as error:
        for entrant in entrants.load(names):
            entrant.answer(darker)
    assert error.value.code == code


def test_the_composite_is_left_as_it_is():
    (entrant,) = entrants.load(["composite"])
    assert entrant.answer(darker).pixels is darker.composite


def test_each_oracle_is_better_than_doing_nothing_and_the_last_the_best():
    before = fmse("composite")
    affine, curves, both = fmse("oracle-affine"), fmse("oracle-curves"), fmse("oracle")
    assert affine < before / 100 and curves < before / 100 and both <= curves + 1


def test_the_affine_oracle_undoes_a_mixing_of_channels_that_curves_cannot():
    mixed = scene(1.0)
    m = mixed.mask[..., None] / 255
    turned = np.rint(mixed.truth @ np.array([[0.6, 0.3, 0], [0.2, 0.7, 0.3], [0.2, 0, 0.7]]))
    composite = np.rint(mixed.truth * (1 - m) + turned * m).astype(np.uint8)
    changed = type(mixed)("film-full", "x", composite, mixed.mask, mixed.truth)
    assert fmse("oracle-affine", changed) < 2 < fmse("oracle-curves", changed)


def test_the_affine_oracle_knows_that_soft_edges_are_blended():
    soft = scene(1.0)
    mask = np.asarray(Image.fromarray(soft.mask).filter(ImageFilter.GaussianBlur(4)))
    truth = np.rint(soft.composite * (1 - 0.4 * mask[..., None] / 255)).astype(np.uint8)  # the foreground at 0.6
    assert fmse("oracle-affine", type(soft)("light-full", "x", soft.composite, mask, truth)) < 0.5


@pytest.mark.parametrize("name", ["histogram", "mkl", "statistics"])
def test_baselines_move_the_foreground_towards_the_background(name):
    (entrant,) = entrants.load([name])
    result = entrant.answer(darker).pixels
    inside, outside = darker.mask == 255, darker.mask == 0
    goal = darker.composite[outside].mean()
    assert abs(result[inside].mean() - goal) < abs(darker.composite[inside].mean() - goal) / 2
    assert (result[outside] == darker.composite[outside]).all()


@pytest.mark.parametrize("leave", [True, False])
def test_a_model_and_its_variants_share_one_look_and_only_the_gate_hears_its_advice(monkeypatch, leave):
    looks = []

    def advise(composites, model, folders):
        looks.append(model)
        lighter = (Curves.uniform([[0, 0.7, 1]] * 3), from_gain(np.full((2, 2), 1.1)))
        return [Harmonization(lighter, model, "1", confidence=Confidence(0.4, 0.6, leave))]

    monkeypatch.setattr(engine, "harmonize_all", advise)
    loaded = entrants.load(["parametric", "parametric:gate", "parametric:curves"])
    plain, gate, curves = (each.answer(darker) for each in loaded)
    assert looks == ["parametric"] and (plain.before, plain.after) == (0.4, 0.6)
    assert (plain.left, gate.left, curves.left) == (False, leave, False)
    expected = darker.composite if leave else plain.pixels
    assert (gate.pixels == expected).all() and (plain.pixels != darker.composite).any()
    assert (plain.pixels >= curves.pixels).all() and (plain.pixels > curves.pixels).any()


def test_models_of_other_folders_take_part(tmp_path):
    for kind in ("onnx", "json"):
        shutil.copy(weights / f"parametric.{kind}", tmp_path / f"mine.{kind}")
    ours, mine = entrants.load(["parametric", "mine:gate"], [tmp_path])
    assert mine.fingerprint == ours.fingerprint
    assert mine.answer(darker).before == ours.answer(darker).before


def test_a_network_that_takes_picture_and_mask_is_run_and_pasted_by_the_mask(tmp_path):
    path = tmp_path / "darken.onnx"
    path.write_bytes(network("Sub", {"image": picture, "mask": plane}))
    (entrant,) = entrants.load([f"onnx={path}"])
    result = entrant.answer(darker).pixels
    inside = darker.mask == 255
    assert (result[inside] == 0).all()  # picture - mask is below 0 there
    assert (result[~inside] == darker.composite[~inside]).all()


def test_a_signed_network_is_fed_from_minus_1_to_1(tmp_path):
    path = tmp_path / "negative.onnx"
    path.write_bytes(network("Neg", {"image": picture}))
    (entrant,) = entrants.load([f"onnx-signed={path}"])
    inside = darker.mask == 255
    assert np.abs(entrant.answer(darker).pixels[inside].astype(int) + darker.composite[inside] - 255).max() <= 1


def test_a_network_of_fixed_size_gets_that_size(tmp_path):
    path = tmp_path / "same.onnx"
    path.write_bytes(network("Identity", {"image": (1, 3, 32, 32)}))
    (entrant,) = entrants.load([f"onnx={path}"])
    result = entrant.answer(darker).pixels
    assert result.shape == darker.composite.shape
    assert np.abs(result.astype(int) - darker.composite).mean() < 8


def test_a_network_of_any_size_is_shown_the_size_that_is_asked_for(tmp_path):
    path = tmp_path / "same.onnx"
    path.write_bytes(network("Identity", {"image": picture}))
    whole, small = entrants.load([f"onnx={path}", f"onnx@32={path}"])
    assert (whole.answer(darker).pixels == darker.composite).all()
    assert (small.answer(darker).pixels != darker.composite).any()
    assert whole.fingerprint != small.fingerprint
    for name in (f"onnx@big={path}", f"onnx@2={path}", f"results@32={tmp_path}"):
        refused("entrant_unknown", name)


def test_results_of_others_are_found_by_group_and_name_or_by_name(tmp_path):
    Image.fromarray(darker.truth).save(tmp_path / "photo.png")
    assert fmse(f"results={tmp_path}") == 0
    (tmp_path / "retouch-full").mkdir()
    Image.fromarray(darker.composite).save(tmp_path / "retouch-full" / "photo.png")
    assert fmse(f"results={tmp_path}") == fmse("composite")


def test_what_cannot_take_part_is_told(tmp_path):
    refused("entrant_unknown", "parametrik")
    refused("entrant_unknown", "parametric:fast")
    refused("entrant_unknown", "torch=model.pt")
    refused("file_missing", f"onnx={tmp_path / 'none.onnx'}")
    refused("folder_missing", f"results={tmp_path / 'none'}")
    refused("result_missing", f"results={tmp_path}")
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    refused("weights_broken", f"onnx={tmp_path / 'broken.onnx'}")
    (tmp_path / "mask.onnx").write_bytes(network("Identity", {"mask": plane}, channels=1))
    refused("network_unfit", f"onnx={tmp_path / 'mask.onnx'}")


def test_lpips_is_what_its_network_says(tmp_path):
    (tmp_path / "lpips.onnx").write_bytes(network("Sub", {"a": picture, "b": picture}))
    lpips = Lpips(opened(tmp_path / "lpips.onnx"))
    assert lpips.distance(darker.truth, darker.truth) == 0
    expected = (darker.truth.astype(float) - darker.composite).mean() / 127.5
    assert lpips.distance(darker.truth, darker.composite) == pytest.approx(expected, abs=1e-4)
