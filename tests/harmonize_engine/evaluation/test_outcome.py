from harmonize_engine.evaluation import outcome as outcomes


def test_a_table_is_read_as_it_was_written(tmp_path, outcome):
    path = tmp_path / "outcomes.csv"
    found = [outcome(name='a, "b"', psnr=float("inf")), outcome(harmony_before=0.5, harmony_after=0.75, left=True)]
    outcomes.write(found, path)
    assert outcomes.read(path) == found


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
