import json
import math
import shutil

import pytest

from harmonize_engine.evaluation import ablation, tables
from harmonize_engine.evaluation.ablation import Recipe
from harmonize_engine.evaluation.duel import Duel
from harmonize_engine.evaluation.summary import Summary
from harmonize_engine.evaluation.table import Cell, Table, percent, ratio
from harmonize_engine.network import folder


def test_means_are_over_pictures_and_the_ratio_of_means(outcome):
    found = Summary.of([outcome(fmse=10, fmse_before=100), outcome(fmse=50, fmse_before=20)])
    assert found.fmse == 30 and found.ratio == 0.5 and found.worse == 0.5 and found.count == 2
    assert found.interval[0] <= 0.5 <= found.interval[1]


def test_pictures_that_were_not_changed_do_not_count_for_psnr(outcome):
    found = Summary.of([outcome(psnr=30), outcome(psnr=float("inf"), fmse=0, fmse_before=0)])
    assert found.psnr == 30


def test_the_interval_of_equal_pictures_is_a_point(outcome):
    assert Summary.of([outcome()] * 20).interval == (0.25, 0.25)


def test_nothing_to_average_is_not_a_number(outcome):
    found = Summary.of([outcome(fmse=1, fmse_before=0)])
    assert math.isnan(found.ratio) and math.isnan(found.lpips) and math.isnan(found.interval[0])


def by_title(outcomes):
    return {table.title: table for table in tables.overview(outcomes, "ours")}


def cell(table, entrant, column):
    return dict(table.rows)[entrant][table.header.index(column) - 1].text


@pytest.fixture
def made(outcome):
    """Two entrants on four protocols."""
    found = []
    for family, word, magnitude in (("film", "full", 1.0), ("film", "mild", 0.3), ("retouch", "full", 1.0)):
        for entrant, fmse in (("composite", 100), ("ours", 150 if word == "mild" else 40)):
            found.append(outcome(entrant, group=f"{family}-{word}", family=family, magnitude=magnitude, fmse=fmse))
    for entrant, moved in (("composite", 0.0), ("ours", 1.5)):
        found.append(
            outcome(entrant, group="untouched", family="untouched", magnitude=0, fmse=0, fmse_before=0, moved=moved)
        )
    return found


def test_the_overview_tells_what_is_left_by_family_and_by_magnitude(made):
    found = by_title(made)
    assert cell(found["What is left of the error"], "ours", "film") == "0.400"
    assert cell(found["What is left of the error"], "ours", "held out, all") == "0.400"
    assert cell(found["By how much was changed"], "ours", "held out, mild") == "1.500"
    assert cell(found["Harm"], "ours", "worse, all") == "33.3 %"
    assert cell(found["Harm"], "ours", "untouched moved") == "1.50"
    assert "Independence of resolution" not in found


def test_the_same_photographs_are_compared_at_both_sizes(made, outcome):
    large = [outcome(e, group="film-full-1080p", family="film", fmse=f) for e, f in (("composite", 100), ("ours", 50))]
    other = [outcome("ours", group="film-full", family="film", name="not enlarged", fmse=1e6)]
    found = by_title([*made, *large, *other])["Independence of resolution"]
    assert (cell(found, "ours", "held out"), cell(found, "ours", "held out, 1080p")) == ("0.400", "0.500")


def test_foregrounds_are_told_apart_by_size(outcome):
    small, large = outcome(foreground=0.01, fmse=90), outcome(foreground=0.4, fmse=10)
    mild = outcome(group="retouch-mild", foreground=0.01, fmse=1000)
    found = by_title([small, large, mild])["By size of the foreground"]
    assert found.header == ("entrant", "fMSE, below 5 % (1)", "ratio", "PSNR", "fMSE, 15 % and more (1)", "ratio", "PSNR")
    assert [c.text for c in found.rows[0][1]] == ["90.0", "0.900", "30.00", "10.0", "0.100", "30.00"]


def test_a_datasets_subsets_are_told_one_by_one_and_all_together(outcome):
    found = tables.details([outcome(group=g, family="", mse=m) for g, m in (("HCOCO", 10), ("HFlickr", 30))])
    assert [table.title for table in found] == ["HCOCO (1)", "HFlickr (1)", "All (2)"]
    assert cell(found[2], "ours", "MSE") == "20.0"


def test_lpips_is_shown_where_it_was_measured(outcome):
    assert "LPIPS x 1000" not in tables.details([outcome()])[0].header
    assert cell(tables.details([outcome(lpips=0.0292)])[0], "ours", "LPIPS x 1000") == "29.2"


def test_two_entrants_are_compared_scene_by_scene(outcome):
    ours = [outcome("ours", name=str(n), fmse=(n + 1) ** 2) for n in range(20)]
    theirs = [outcome("theirs", name=str(n), fmse=(n + 3) ** 2) for n in range(25)]
    found = Duel.of(ours, theirs)
    assert (found.count, found.lead, found.interval, found.won, found.decided) == (20, 2, (2, 2), 1, True)
    assert Duel.of(ours, ours) == Duel(20, 0, (0, 0), 0.5)
    assert Duel.of(ours, [outcome("theirs", name="other")]) is None


def test_the_focus_is_compared_with_everyone(made):
    found = by_title(made)["ours against the others"]
    assert cell(found, "composite", "trained: lead") == f"+{10 - 40**0.5:.2f} (+3.68 to +3.68)"
    assert [name for name, _ in found.rows] == ["composite"]


def test_a_table_is_markdown_and_html():
    table = Table("Title", "Note.", ("entrant", "a"), (("<us>", (ratio(0.5),)), ("oracle", (Cell(""),))))
    assert table.markdown() == "### Title\n\nNote.\n\n| entrant | a |\n|---|---:|\n| <us> | 0.500 |\n| oracle |  |\n"
    assert "&lt;us&gt;" in table.html() and "--share:0.500" in table.html() and 'class="oracle"' in table.html()
    assert percent(0.125) == Cell("12.5 %", 0.5)


@pytest.fixture
def gated(outcome):
    """A model on two photographs, one of which it spoils, and its gate, which leaves that one."""
    found = [outcome("ours"), outcome("ours", name="b", fmse=150), outcome("ours:gate")]
    found.append(outcome("ours:gate", name="b", fmse=100, moved=0.0, left=True))
    still = dict(group="untouched", family="untouched", magnitude=0.0, fmse_before=0.0)
    found.append(outcome("ours", **still, fmse=9, moved=3.0))
    return [*found, outcome("ours:gate", **still, fmse=0, moved=0.0, left=True)]


def test_harm_is_told_with_and_without_the_gate(gated):
    found = by_title(gated)["Do no harm: with and without the gate"]
    assert [cell(found, name, "trained: worse") for name in ("ours", "ours:gate")] == ["50.0 %", "0.0 %"]
    assert found.header[1:4] == ("trained: worse", "ratio", "left")
    assert [[each.text for each in cells[1:3]] for _, cells in found.rows] == [["0.875", "0.0 %"], ["0.625", "50.0 %"]]
    assert [cell(found, name, "moved") for name in ("ours", "ours:gate")] == ["3.00", "0.00"]


def test_without_a_gate_there_is_nothing_to_compare(outcome):
    assert "Do no harm: with and without the gate" not in by_title([outcome()])


def test_real_composites_are_told_beside_photographs_themselves(outcome):
    nan = float("nan")
    real = dict(group="pasted", family="pasted", magnitude=0.0, fmse=nan, fmse_before=nan, mse=nan, psnr=nan, ssim=nan)
    found = [outcome("composite", **real, judged_before=0.4, judged_after=0.4, distance_after=30.0, moved=0.0)]
    found.append(outcome(**real, judged_before=0.4, judged_after=0.6, distance_after=24.0, moved=5.0))
    found.append(outcome(**real | {"name": "b"}, judged_before=0.4, judged_after=0.3, distance_after=26.0, left=True))
    still = dict(group="untouched", family="untouched", magnitude=0.0, fmse_before=0.0, fmse=0.0, moved=0.0)
    found.append(outcome("composite", **still, judged_before=0.8, judged_after=0.8, distance_after=20.0))
    table = by_title(found)["Real composites (2)"]
    assert [cell(table, "ours", column) for column in table.header[1:]] == ["0.450", "50 %", "25.0", "3.50", "50.0 %"]
    assert cell(table, "photographs themselves", "colour distance") == "20.0"
    assert [each.title for each in tables.details(found)] == ["untouched (1)"]


def test_an_ablation_tells_how_networks_were_trained_and_what_each_part_brings(outcome):
    found = [outcome(name, fmse=fmse) for name, fmse in (("ours", 40), ("ours:curves", 45), ("one", 60), ("ours:gate", 70))]
    found.append(
        outcome("ours", group="pasted", family="pasted", fmse_before=float("nan"), fmse=float("nan"), judged_after=0.6)
    )
    known = {"ours": Recipe("both", 500_000, 1_629_623), "one": Recipe("supervised", 500_000, 1_629_623)}
    table = ablation.table([*found, outcome("composite", fmse=100)], known)
    assert [name for name, _ in table.rows] == ["ours", "ours:curves", "one"]
    told = [
        (cell(table, n, "streams"), cell(table, n, "light map"), cell(table, n, "trained, full")) for n, _ in table.rows
    ]
    assert told == [("both", "yes", "0.400"), ("both", "no", "0.450"), ("supervised", "yes", "0.600")]
    assert cell(table, "ours", "real, harmony") == "0.600" and cell(table, "one", "real, harmony") == ""
    assert cell(table, "ours", "composites seen") == "500,000"


def test_one_network_alone_is_no_ablation(outcome):
    assert ablation.table([outcome("ours"), outcome("ours:gate")], {"ours": Recipe("both", None, None)}) is None


@pytest.mark.parametrize(
    ("training", "streams"),
    [({"supervised": 0.5, "adversarial": 0.4}, "both"), ({"supervised": 1.0, "adversarial": 0.0}, "supervised"), ({}, "")],
)
def test_a_card_tells_how_its_network_was_trained(tmp_path, training, streams):
    shutil.copy(folder / "parametric.onnx", tmp_path / "mine.onnx")
    card = json.loads((folder / "parametric.json").read_text()) | {"training": training, "parameters": 7}
    (tmp_path / "mine.json").write_text(json.dumps(card))
    found = ablation.recipes(["composite", "statistics", "mine:gate", "mine"], [tmp_path])
    assert found == {"mine": Recipe(streams, None, 7)}
