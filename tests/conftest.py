"""In CI nothing may be left out: a skipped test fails the run, with its reason in the summary."""

import importlib.util
import os

import pytest

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # for tests that import ONNX Runtime themselves
in_ci = os.environ.get("CI", "").lower() in ("1", "true")
collect_ignore = []
if importlib.util.find_spec("torch") is None and not in_ci:
    collect_ignore = ["harmonize_engine/models", "harmonize_engine/training"]


def pytest_report_header() -> str | None:
    return "PyTorch is not installed: the tests of models and training are left out" if collect_ignore else None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if in_ci and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
