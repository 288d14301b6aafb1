"""`harmonize apply` on one picture."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageCms

from harmonize_engine import Confidence, Curves, Harmonization, engine, render
from tests.harmonize_engine.cli.conftest import Desk, scene

dark = Harmonization((Curves.uniform([[0.0, 0.5]] * 3),), "test", "1")


def predicting(harmonization: Harmonization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "harmonize", lambda seen, model: harmonization)


def advised(before: float = 0.9, after: float = 0.95) -> Harmonization:
    return Harmonization(dark.adjustments, "test", "1", confidence=Confidence(before, after, leave=True))


def test_the_picture_is_what_the_renderer_makes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    predicting(dark, monkeypatch)
    ran = desk.apply("-o", desk / "out.png")
    composite, mask = scene()
    assert (desk.pixels("out.png") == render(composite, mask, dark)).all()
    assert ran.status == 0 and ran.err == ""
    assert str(desk / "out.png") in ran.out


@pytest.mark.parametrize("model", ["statistics", "parametric"])
def test_every_kind_of_file_at_once(desk: Desk, model: str) -> None:
    names = [f"out{kind}" for kind in (".png", ".jpg", ".tif", ".webp", ".kra", ".xcf", ".ora", ".cube", ".acv", ".json")]
    ran = desk.apply("--model", model, "--always", "-o", *(desk / name for name in names), "--report", desk / "report.html")
    assert ran.status == 0, ran.err
    assert all((desk / name).stat().st_size > 0 for name in (*names, "report.html"))
    assert Harmonization.from_json((desk / "out.json").read_text()).model == model
    assert not [path for path in desk.folder.iterdir() if path.name.startswith(".")]


def test_model_harmony_and_times_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    predicting(Harmonization((), "test", "7", confidence=Confidence(0.2, 0.8, leave=False)), monkeypatch)
    told = desk.apply("-o", desk / "out.png").out
    assert "test 7" in told
    assert "0.20 (does not belong) -> 0.80 (fits)" in told
    assert "ms looking" in told and "ms rendering" in told


def test_json_prints_the_parameters_and_nothing_else(desk: Desk) -> None:
    ran = desk.apply("--json", "-o", desk / "out.json")
    assert Harmonization.from_json(ran.out) == Harmonization.from_json((desk / "out.json").read_text())
    assert ran.err == ""


def test_strength_0_gives_the_composite_back(desk: Desk) -> None:
    desk.apply("--color-strength", "0", "--light-strength", "0", "-o", desk / "out.png")
    assert (desk.pixels("out.png") == desk.pixels("composite.png")).all()


def test_what_fits_is_left_as_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    predicting(advised(), monkeypatch)
    ran = desk.apply("-o", desk / "out.png", desk / "out.cube", desk / "out.json")
    assert (desk.pixels("out.png") == desk.pixels("composite.png")).all()
    assert ran.out.startswith("It already fits; left as it is.") and "--always" in ran.out
    rows = [line.split() for line in (desk / "out.cube").read_text().splitlines()]
    assert ["1", "1", "1"] in [[f"{float(v):g}" for v in row] for row in rows if len(row) == 3 and row[0][0].isdigit()]
    assert Harmonization.from_json((desk / "out.json").read_text()).leave


def test_a_change_that_would_not_help_is_left_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    predicting(advised(before=0.4, after=0.3), monkeypatch)
    ran = desk.apply("-o", desk / "out.png")
    assert (desk.pixels("out.png") == desk.pixels("composite.png")).all()
    assert ran.out.startswith("Harmonizing would probably not help; left as it is.") and "--always" in ran.out


def test_layers_of_a_picture_that_fits_are_switched_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    predicting(advised(), monkeypatch)
    shown: list[bool] = []
    monkeypatch.setattr("harmonize_engine.files.kinds.write", lambda layered, *_: shown.append(layered.visible))
    monkeypatch.setattr("harmonize_engine.cli.outputs._put_in_place", lambda moves: None)
    desk.apply("-o", desk / "out.kra")
    desk.apply("-o", desk / "out.kra", "--always")
    assert shown == [False, True]


def test_always_applies_what_the_model_would_leave(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    predicting(advised(), monkeypatch)
    desk.apply("--always", "-o", desk / "out.png")
    assert (desk.pixels("out.png") == render(*scene(), dark)).all()


def test_16_bits_profile_exif_and_resolution_are_carried_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    predicting(dark, monkeypatch)
    composite, mask = scene(np.uint16)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    desk.write("composite.png", composite, icc=icc, dpi=(300.0, 300.0))
    desk.apply("-o", desk / "out.png", desk / "out.tif")
    for name in ("out.png", "out.tif"):
        assert (desk.pixels(name) == render(composite, mask, dark)).all()
    from harmonize_engine import pictures

    made = pictures.read(desk / "out.png")
    assert made.icc == icc
    assert made.dpi == pytest.approx((300, 300), abs=0.1)


def test_alpha_is_kept(desk: Desk) -> None:
    composite, _ = scene()
    alpha = np.full(composite.shape[:2], 200, np.uint8)
    desk.write("composite.png", np.dstack([composite, alpha]))
    desk.apply("-o", desk / "out.png")
    assert (desk.pixels("out.png")[..., 3] == 200).all()


def test_an_inverted_mask_can_be_turned_round(desk: Desk) -> None:
    desk.apply("-o", desk / "straight.png")
    desk.write("mask.png", 255 - scene()[1])
    assert desk.apply("--invert-mask", "-o", desk / "out.png").status == 0
    assert (desk.pixels("out.png") == desk.pixels("straight.png")).all()


def test_a_mask_of_another_size_can_be_fitted(desk: Desk) -> None:
    desk.apply("-o", desk / "straight.png")
    for factor in (2, 4):
        desk.write("mask.png", scene()[1].repeat(factor, axis=0).repeat(factor, axis=1))
        assert desk.apply("--fit-mask", "-o", desk / "out.png").status == 0
        assert (desk.pixels("out.png") == desk.pixels("straight.png")).all()
    desk.write("mask.png", scene()[1][::2, ::2])
    assert "note" not in desk.apply("--fit-mask", "-o", desk / "out.png").out
    desk.write("mask.png", scene()[1][::2, ::4])
    assert "stretched from 16x24 to 64x48" in desk.apply("--fit-mask", "-o", desk / "out.png").out


def test_a_border_mask_can_be_allowed(desk: Desk) -> None:
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 30:34] = mask[20:24] = 255
    desk.write("mask.png", mask)
    assert desk.apply("--allow-border", "-o", desk / "out.png").status == 0


def test_the_clean_plate_and_the_reference_reach_the_model(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(engine, "harmonize", lambda composite, model: seen.append(composite) or dark)
    desk.apply("--background", desk / "background.png", "--reference", desk / "mask.png", "-o", desk / "out.png")
    assert (seen[0].background == desk.pixels("background.png")).all()
    assert (seen[0].reference == seen[0].mask).all()


def test_an_older_result_is_replaced(desk: Desk) -> None:
    (desk / "out.png").write_bytes(b"old")
    assert desk.apply("-o", desk / "out.png").status == 0
    assert desk.pixels("out.png").shape == (48, 64, 3)


def test_greyscale_and_palette_pictures_are_converted_and_it_is_told(desk: Desk) -> None:
    from PIL import Image

    for mode, told in (("L", "greyscale picture was converted"), ("P", "palette picture was converted")):
        Image.fromarray(scene()[0]).convert(mode).save(desk / "composite.png")
        ran = desk.apply("-o", desk / "out.png")
        assert ran.status == 0 and told in ran.out
        assert told in desk.apply("--json").err


def test_names_with_spaces_umlauts_and_lines_are_fine(desk: Desk) -> None:
    folder = desk / "Übung 1"
    folder.mkdir()
    assert desk.apply("-o", folder / "größe mit leerzeichen.png").status == 0
    assert "\n" not in desk.refused("file_missing", "apply", "no\nsuch", "--mask", "m.png", "-o", desk / "o.png").strip()


def test_json_errors(desk: Desk) -> None:
    ran = desk.harmonize("apply", desk / "none.png", "--mask", desk / "mask.png", "-o", desk / "out.png", "--json-errors")
    assert ran.status == 2
    assert json.loads(ran.err).keys() == {"code", "message", "hint"}
    assert json.loads(ran.err)["code"] == "file_missing"
    assert json.loads(desk.harmonize("--json-errors", "apply").err)["code"] == "usage"


def test_report_sheet(desk: Desk) -> None:
    assert desk.apply("--report", desk / "report.png").status == 0
    assert desk.pixels("report.png").shape[1] == 1600


@pytest.fixture(autouse=True)
def at_the_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
