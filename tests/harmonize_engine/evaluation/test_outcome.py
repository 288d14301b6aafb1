from harmonize_engine.evaluation import outcome as outcomes


def test_a_table_is_read_as_it_was_written(tmp_path, outcome):
    path = tmp_path / "outcomes.csv"
    found = [outcome(name='a, "b"', psnr=float("inf")), outcome(harmony_before=0.5, harmony_after=0.75, left=True)]
    outcomes.write(found, path)
    assert outcomes.read(path) == found


def test_a_table_from_before_real_composites_were_judged_is_read(tmp_path, outcome):
    path = tmp_path / "outcomes.csv"
    outcomes.write([outcome(name="a", judged_after=0.5, distance_before=3.0)], path)
    header, row = path.read_text().splitlines()
    path.write_text(f"{header.rsplit(',', 4)[0]}\n{row.rsplit(',', 4)[0]}\n")
    assert outcomes.read(path) == [outcome(name="a")]


def test_lines_a_stopped_run_left_unfinished_count_for_nothing(tmp_path, outcome):
    path = tmp_path / "outcomes.csv"
    outcomes.write([outcome(name="a")], path)
    with path.open("a") as file:
        file.write(outcomes.row(outcome(name="b"))[:40])
    assert [o.name for o in outcomes.read(path)] == ["a"]


def test_a_table_of_another_version_counts_for_nothing(tmp_path):
    (tmp_path / "outcomes.csv").write_text("group,name\na,b\n")
    assert outcomes.read(tmp_path / "outcomes.csv") == []
    assert outcomes.read(tmp_path / "none.csv") == []
