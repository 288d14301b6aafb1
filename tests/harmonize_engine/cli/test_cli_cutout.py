"""`harmonize apply --foreground ... --background ...`."""

import numpy as np
import pytest

from harmonize_engine import Curves, Harmonization, Shading, engine, render
from harmonize_engine.placement import Placement
from tests.harmonize_engine.cli.conftest import Desk, Ran

unchanged = Harmonization((), "test", "1")
dark = Harmonization((Curves.uniform([[0.0, 0.5]] * 3), Shading([[0.8, 1.1]])), "test", "1")


def paste(desk: Desk, *words: object) -> Ran:
    files = ("--foreground", desk / "cutout.png", "--background", desk / "background.png", "--model", "statistics")
    return desk.harmonize("apply", *files, *words)


def test_the_adjusted_cut_out_is_blended_over_the_plate(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(engine, "harmonize", lambda composite, model: seen.append(composite) or dark)
    assert paste(desk, "--at", "40,20", "--scale", "0.8", "-o", desk / "out.png").status == 0
    plate = desk.pixels("background.png")
    placed = Placement((40, 20), 0.8).place(desk.pixels("cutout.png"), plate)
    assert (desk.pixels("out.png") == render(plate, placed[..., 3], dark, source=placed)).all()
    composite = render(plate, placed[..., 3], unchanged, source=placed)
    assert (seen[0].image == composite).all()
    assert (seen[0].background == plate).all()


def test_layered_files_get_the_plate_and_the_cut_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr("harmonize_engine.files.kinds.write", lambda layered, *_: given.append(layered))
    monkeypatch.setattr("harmonize_engine.cli.outputs._put_in_place", lambda moves: None)
    paste(desk, "-o", desk / "out.kra")
    assert (given[0].pixels == desk.pixels("background.png")).all()
    assert given[0].cutout.shape == (48, 64, 4)
    assert (given[0].mask == given[0].cutout[..., 3]).all()


def test_all_layered_kinds(desk: Desk) -> None:
    names = ("out.kra", "out.xcf", "out.ora", "report.html")
    assert paste(desk, "-o", *(desk / name for name in names[:3]), "--report", desk / "report.html").status == 0
    assert all((desk / name).stat().st_size for name in names)
    assert "cutout.png on background.png" in (desk / "report.html").read_text()


def test_refusals(desk: Desk) -> None:
    out = ("-o", desk / "out.png")
    plate = ("--background", desk / "background.png")
    cutout = ("--foreground", desk / "cutout.png")
    desk.refused("alpha_missing", "apply", "--foreground", desk / "composite.png", *plate, *out)
    desk.refused("cutout_outside", "apply", *cutout, *plate, "--at", "900,900", *out)
    desk.refused("bad_scale", "apply", *cutout, *plate, "--scale", "0", *out)
    desk.refused("bad_scale", "apply", *cutout, *plate, "--scale", "nan", *out)
    desk.refused("bad_place", "apply", *cutout, *plate, "--at", "nan,3", *out)
    desk.refused("usage", "apply", *cutout, *plate, "--at", "three", *out)
    desk.refused("usage", "apply", *cutout, *out)
    desk.refused("usage", "apply", *cutout, *plate, "--mask", desk / "mask.png", *out)
    desk.refused("usage", "apply", desk / "composite.png", "--mask", desk / "mask.png", "--scale", "2", *out)


def test_an_invisible_cut_out_is_an_empty_mask(desk: Desk) -> None:
    desk.write("cutout.png", np.zeros((20, 20, 4), np.uint8))
    files = ("--foreground", desk / "cutout.png", "--background", desk / "background.png")
    desk.refused("mask_empty", "apply", *files, "-o", desk / "out.png")
