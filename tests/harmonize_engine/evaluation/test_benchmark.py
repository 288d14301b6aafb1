import json
import math

import pytest
from PIL import Image

from harmonize_engine import HarmonizeError
from harmonize_engine.evaluation import benchmark, protocols
from harmonize_engine.evaluation.benchmark import Arena, Judged, Plan
from harmonize_engine.evaluation.manifest import Manifest
from harmonize_engine.evaluation.results import Results
from harmonize_engine.evaluation.sheet import sheets, show


@pytest.fixture
def entries(photographs):
    return protocols.entries(photographs, protocols.chosen(["retouch-full", "untouched"]), 2)


def judged(arena, entries, results):
    work = benchmark.jobs(arena, entries, results.outcomes)
    for one in benchmark.run(arena, work, 1):
        results.add(one)
    return work


def test_what_was_done_is_not_done_again(entries, tmp_path):
    first = Results.opened(tmp_path / "out", False)
    assert len(judged(Arena(Plan(("composite", "mkl"))), entries, first)) == 4
    again = Results.opened(tmp_path / "out", False)
    assert judged(Arena(Plan(("composite", "mkl"))), entries, again) == []
    work = judged(Arena(Plan(("composite", "mkl", "histogram"))), entries, again)
    assert {names for _, names in work} == {("histogram",)}
    assert len(Results.opened(tmp_path / "out", False).outcomes) == 12


def test_other_settings_are_another_benchmark(entries, tmp_path):
    results = Results.opened(tmp_path / "out", False)
    judged(Arena(Plan(("composite",))), entries, results)
    assert len(benchmark.jobs(Arena(Plan(("composite",), size=(64, 64))), entries, results.outcomes)) == 4
    assert Results.opened(tmp_path / "out", True).outcomes == {}


def test_real_composites_are_judged_without_a_truth_and_oracles_stay_away(photographs):
    found = protocols.entries(photographs, protocols.chosen(["pasted", "untouched"]), 1)
    arena = Arena(Plan(("composite", "mkl", "parametric:gate", "oracle"), judge="parametric"))
    work = dict(benchmark.jobs(arena, found, {}))
    real, photo = found[::-1] if found[0].group == "untouched" else found
    assert (work[real], work[photo]) == (("composite", "mkl", "parametric:gate"), arena.plan.names)
    composite, mkl, _ = arena.judge(real, work[real]).outcomes
    assert math.isnan(mkl.fmse) and math.isnan(mkl.psnr_inside) and not mkl.worse and mkl.moved > 0
    assert composite.judged_before == composite.judged_after == mkl.judged_before != mkl.judged_after
    assert mkl.distance_after < mkl.distance_before == composite.distance_after
    (itself,) = arena.judge(photo, ("composite",)).outcomes
    assert 0 < itself.judged_after < 1 and itself.distance_after > 0


def test_another_judge_judges_real_composites_anew_and_nothing_else(photographs):
    found = protocols.entries(photographs, protocols.chosen(["pasted", "film-mild"]), 1)
    alone = Arena(Plan(("composite",)))
    done = {o.key: o for entry in found for o in alone.judge(entry, ("composite",)).outcomes}
    judged_again = benchmark.jobs(Arena(Plan(("composite",), judge="parametric")), found, done)
    assert [entry.group for entry, _ in judged_again] == ["pasted"]


def test_two_processes_find_the_same_as_one(entries):
    plan = Plan(("composite", "mkl"))
    arena = Arena(plan)
    work = benchmark.jobs(arena, entries, {})
    found = [
        {o.key: (o.fmse, o.scene_sha256) for each in benchmark.run(arena, work, n) for o in each.outcomes} for n in (1, 2)
    ]
    assert found[0] == found[1] and len(found[0]) == 8


def test_an_error_of_an_entrant_comes_back_from_another_process(entries, tmp_path):
    plan = Plan((f"results={tmp_path}",))
    with pytest.raises(HarmonizeError) as error:
        list(benchmark.run(Arena(plan), benchmark.jobs(Arena(plan), entries, {}), 2))
    assert error.value.code == "result_missing"


def test_a_scene_that_cannot_be_used_is_refused_and_the_others_go_on(entries, photographs):
    Image.new("L", (80, 64)).save(photographs / entries[0].pair.mask)
    found = benchmark.run(Arena(Plan(("composite",))), [(entry, ("composite",)) for entry in entries[:2]], 1)
    message = "[mask_empty] The mask is empty: nothing is marked as foreground."
    assert [each.refused for each in found] == [message, None]


def test_results_are_kept_by_entrant_group_and_name(entries, tmp_path):
    plan = Plan(("parametric:gate",), results=tmp_path / "kept")
    list(benchmark.run(Arena(plan), [(entries[0], plan.names)], 1))
    assert (tmp_path / "kept" / "parametric-gate" / "retouch-full" / f"{entries[0].name}.png").is_file()


def test_the_manifest_tells_sources_and_pixels_apart(entries, tmp_path):
    ours = Manifest({}).extended(Arena(Plan(("composite",))).judge(entry, ("composite",)) for entry in entries)
    ours.write(tmp_path / "manifest.json")
    kept = Manifest.read(tmp_path / "manifest.json")
    assert kept.id == ours.id == json.loads((tmp_path / "manifest.json").read_text())["id"]
    assert kept.difference(ours) == 0
    kept.check(entries)
    rounded = ours.extended([Judged(entries[0], sources=entries[0].sources(), sha256="other")])
    assert ours.difference(rounded) == 1 and ours.id != rounded.id
    rounded.check(entries)
    with pytest.raises(HarmonizeError, match="1 composite has other sources"):
        ours.extended([Judged(entries[0], sources={"image": "other"}, sha256="other")]).check(entries)


def test_a_manifest_lost_with_a_killed_run_is_made_again(entries, tmp_path):
    whole = Results.opened(tmp_path / "out", False)
    judged(Arena(Plan(("composite",))), entries, whole)
    whole.complete(entries)
    resumed = Results.opened(tmp_path / "out", False)
    resumed.complete(entries)
    assert resumed.manifest.id == whole.manifest.id


def test_a_file_that_is_no_manifest_is_refused(tmp_path):
    (tmp_path / "m.json").write_text("{}")
    with pytest.raises(HarmonizeError) as error:
        Manifest.read(tmp_path / "m.json")
    assert error.value.code == "bad_manifest"


def test_sheets_begin_with_the_most_harm(outcome):
    found = sheets([outcome(name=str(n), fmse=n**2, fmse_before=100) for n in range(1, 31)], "ours", 3)
    assert [[o.name for o in sheet.outcomes] for sheet in found] == [
        ["30", "29", "28"],
        ["30", "29", "28"],
        ["17", "16", "15"],
        ["1", "2", "3"],
        [],
    ]


def test_enlarged_scenes_are_not_shown_a_second_time(outcome):
    found = sheets([outcome(), outcome(group="retouch-full-1080p")], "ours", 3)
    assert [o.group for o in found[0].outcomes] == ["retouch-full"]


def test_a_foreground_is_shown_once_on_each_sheet_where_it_is_worst(outcome):
    found = sheets([outcome(group="film-full", fmse=400), outcome(fmse=300), outcome(name="b", fmse=200)], "ours", 2)
    assert [(o.name, o.group) for o in found[0].outcomes] == [("photo", "film-full"), ("b", "retouch-full")]


def test_a_sheets_pictures_are_made_again(entries):
    arena = Arena(Plan(("oracle",)))
    outcomes = [o for entry in entries for o in arena.judge(entry, ("oracle",)).outcomes]
    shown = show(sheets(outcomes, "oracle", 1)[0], {(e.group, e.name): e for e in entries}, arena.entrants[0])
    assert shown[0].scene.sha256 == shown[0].outcome.scene_sha256
    assert shown[0].result.shape == shown[0].scene.truth.shape
