"""`harmonize train`, as a user types it."""

import importlib.util
import json

import pytest

from harmonize_engine.cli.main import main

tiny = [
    "--config",
    "scratch",
    "--set",
    "network.hidden=32",
    "network.widths=[8,8,12,16]",
    "network.blocks=[0,0,0,1]",
    "side=64",
    "batch=4",
]
tiny += ["validate_on=1", "discriminator.width=4"]


def test_photographs_in_a_checkpoint_out_and_gone_on_with_a_second_time(photographs_folder, cache, tmp_path, capsys):
    run = tmp_path / "run"
    words = ["train", "parametric", photographs_folder, run, "--cache", cache]
    assert main([str(word) for word in [*words, "--steps", 2, *tiny]]) == 0
    assert str(run / "best.pt") in capsys.readouterr().out
    assert main([str(word) for word in [*words, "--steps", 3]]) == 0
    judged = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines() if "score" in line]
    assert [line["step"] for line in judged] == [2, 3]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], "usage"),
        (["--steps", "1", "--config", "best"], "config_unknown"),
        (["--steps", "0"], "config_wrong"),
        (["--steps", "1", "--set", "sides=3"], "config_wrong"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(photographs_folder, tmp_path, capsys, words, code):
    status = main(["train", "parametric", str(photographs_folder), str(tmp_path / "run"), *words])
    error = capsys.readouterr().err
    assert status == 2 and error.count("\n") == 1 and f"[{code}]" in error
    assert not (tmp_path / "run").exists()


def test_without_pytorch_one_sentence_says_what_to_install(photographs_folder, tmp_path, capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr("harmonize_engine.cli.train.find_spec", lambda name: None if name == "torch" else found(name))
    status = main(["train", "parametric", str(photographs_folder), str(tmp_path), "--steps", "1"])
    assert status == 2 and "pip install" in capsys.readouterr().err
