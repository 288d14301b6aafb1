"""The shipped weights by one command: what it runs, in order."""

import sys
from pathlib import Path

from harmonize_engine.models import architectures
from harmonize_engine.training import config, recipe

photographs, into = Path("photographs"), Path("into")


def test_every_run_is_a_configuration_there_is():
    for run in recipe.runs:
        chosen = config.experiment(run.config, run.changes.split())
        assert chosen.batch * chosen.accumulate == recipe.together


def test_a_run_begins_with_one_before_it_that_fits():
    sizes = {}
    for run in recipe.runs:
        network = architectures.build(config.experiment(run.config, run.changes.split()).network)
        weights = {name: value.shape for name, value in network.state_dict().items()}
        if run.after:
            shared = {name for name in weights if sizes[run.after].get(name) == weights[name]}
            assert len(shared) > 0.9 * len(weights)
        sizes[run.name] = weights


def test_what_is_averaged_are_the_ends_of_its_lines():
    assert set(recipe.averaged) == {run.name for run in recipe.runs} - {run.after for run in recipe.runs}


def test_the_commands_in_order():
    *trained, export, caution, calibration = recipe.commands([photographs], into, share=0.001)
    assert [command[command.index("parametric") + 2] for command in trained] == [
        str(into / run.name) for run in recipe.runs
    ]
    assert [command[command.index("--steps") + 1] for command in trained[:2]] == ["8", "3"]
    assert trained[1][trained[1].index("--start") + 1] == str(into / recipe.runs[0].name / "last.pt")
    assert [path for path in export if path.endswith("last.pt")] == [
        str(into / name / "last.pt") for name in recipe.averaged
    ]
    for tool in (caution, calibration):
        assert tool[3:5] == [str(photographs), str(into / "weights" / "parametric.json")]


def test_several_processes_are_launched_by_torchrun():
    command = recipe.commands([photographs], into, processes=2)[0]
    assert command[:3] == [sys.executable, "-m", "torch.distributed.run"]
    assert command[command.index("--nproc-per-node") + 1] == "2"
    assert command[command.index("--") + 1] == "harmonize_engine.cli.main"


def test_it_stops_at_the_first_command_that_fails(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["recipe", str(tmp_path / "nowhere"), str(tmp_path / "into")])
    assert recipe.main() == 2
    assert capsys.readouterr().out.count("$ ") == 1
