"""The trial that an environment must pass: a real server answers a real request, and is gone afterwards."""

import json
import os
import sys
from pathlib import Path

import psutil
import pytest

from installer import trial

root = Path(trial.__file__).parent.parent
serving = f"import sys; sys.path.insert(0, {str(root)!r}); from harmonize_engine.cli.main import main; "
serving += "sys.exit(main(['serve', *sys.argv[1:]]))"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HARMONIZE_RUNTIME_DIR", "HARMONIZE_LOG_DIR"):  # so that they are as before afterwards
        monkeypatch.setenv(name, "")


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_an_engine_that_works_tells_its_device(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(trial, "server", [sys.executable, "-c", serving])
    others = psutil.Process().children()
    assert trial.main() == 0
    answer = told(capsys)
    assert answer["device"] in ("cpu", "cuda", "directml", "coreml")
    assert isinstance(answer["milliseconds"], float) and answer["milliseconds"] > 0
    mine = [child for child in psutil.Process().children() if child not in others]
    assert psutil.wait_procs(mine, timeout=30)[1] == []  # none is left alive
    assert not Path(os.environ["HARMONIZE_RUNTIME_DIR"]).exists()


def test_a_package_that_is_missing_is_told_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(trial, "modules", ("json", "no_such_package"))
    assert trial.main() == 2
    assert "no_such_package" in str(told(capsys)["message"])


def test_what_a_server_complains_of_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    complaint = {"code": "weights_changed", "message": "The weights are not the right ones.", "hint": "Install again."}
    monkeypatch.setattr(trial, "server", [sys.executable, "-c", f"print({json.dumps(complaint)!r})"])
    assert trial.main() == 2
    assert told(capsys) == complaint
