import json
import sys

import pytest

from harmonize_engine.training import sheet, table
from harmonize_engine.training.outcome import Outcome


def outcome(row, fmse, before=None, after=None, fmse_before=400.0, magnitude=1.0, kind="full"):
    return Outcome("photo", kind, "filters", magnitude, row, fmse / 4, fmse, 30.0, 0.9, fmse_before, 3.0, before, after)


def test_ratios_are_of_means_and_worse_is_counted():
    outcomes = [outcome("composite", 400.0), outcome("parametric", 100.0), outcome("parametric", 500.0)]
    line = next(line for line in table.table(outcomes).splitlines() if line.startswith("| filters | parametric"))
    assert line == "| filters | parametric | 75.0 | 300.0 | 0.750 | 30.00 | 90.00 | 50.0 % |"


def test_a_perfect_opinion_correlates_perfectly():
    from numpy import exp

    rows = [
        outcome("parametric", e, float(exp(-(b**0.5) / 20)), float(exp(-(e**0.5) / 20)), b)
        for b, e in ((900.0, 400.0), (400.0, 100.0), (100.0, 25.0))
    ]
    assert table.correlation(rows) == pytest.approx((1, 1))


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["", *map(str, arguments)])
    module.main()


def test_the_table_of_a_folder_of_photographs(photographs_folder, tmp_path, monkeypatch, capsys):
    base, whole = tmp_path / "base", tmp_path / "whole"
    some = ("--every", 2, "--workers", 1)
    run(table, monkeypatch, photographs_folder, *some, "--rows", "composite", "statistics", "oracle", "--out", base)
    run(table, monkeypatch, photographs_folder, *some, "--rows", "parametric", "--add", f"{base}.json", "--out", whole)
    text = whole.with_suffix(".md").read_text()
    for row in table.order:
        lines = [line for line in text.splitlines() if line.split(" | ")[1:2] == [row]]
        assert len(lines) == 2 * 4  # both sets, three families and overall
    outcomes = [Outcome(**row) for row in json.loads(whole.with_suffix(".json").read_text())]
    oracle, composite = (
        table.mean([o for o in outcomes if o.row == row and o.set == "full"], "fmse") for row in ("oracle", "composite")
    )
    assert oracle < 0.2 * composite
    assert all(o.fmse_before == 0 for o in outcomes if o.magnitude == 0)
    assert "Correlation of predicted harmony" in capsys.readouterr().out


def test_a_sheet_to_look_at(photographs_folder, tmp_path, monkeypatch):
    from PIL import Image

    run(sheet, monkeypatch, photographs_folder, tmp_path / "sheet.png", "--photographs-shown", 2)
    with Image.open(tmp_path / "sheet.png") as drawn:
        assert drawn.height > sheet.height
