"""A Krita that has nothing but the plug-in from its zip: the docker's button sets up the engine."""

import json
import subprocess
import sys

import pytest
from krita_plugin import builder
from roots import HostFailed, screen
from setup_kit import installer
from test_krita_docker import Window, start


@pytest.fixture(scope="module")
def window(krita_root):
    """Without an engine, but with the installer beside the plug-in."""
    made = Window(krita_root)
    plugins = krita_root.session / "home/.local/share/krita/pykrita"
    carried = installer(krita_root.session / "harmonize-install.pyz")
    subprocess.run([sys.executable, builder, plugins, carried], check=True)
    return made


def run(window, script):
    """Run a script's steps; `button` tells what can be seen of it."""
    known = """
    import subprocess, harmonize_krita
    from pathlib import Path

    folder, row = Path(harmonize_krita.__file__).parent, panel.setup

    def mood(word):
        (folder / "mood").write_text(word)

    def button():
        return [row.start.isVisible(), row.bar.isVisible(), row.cancel.isVisible()]

    def ended():
        for _ in range(400):
            yield 0.05
            if row.setup.running is None:
                break
        yield 0.5  # Krita lets our steps through while the docker is drawn anew
"""
    bench = window.root.bench
    (bench / "result").unlink(missing_ok=True)
    (bench / "script.py").write_text(start + known + script, encoding="utf-8")
    (bench / "arguments.json").write_text(json.dumps([173, 105]))
    variables = ("env", "HARMONIZE_RUNTIME_DIR=/session/share/runtime", "QT_LOGGING_RULES=*=false")
    krita = window.root.run(*variables, *screen, "sh", "-c", "openbox & exec krita --nosplash", timeout=100)
    if not (bench / "result").exists():
        trouble = bench / "trouble"
        raise HostFailed(trouble.read_text(encoding="utf-8") if trouble.exists() else krita.stdout)
    return json.loads((bench / "result").read_text(encoding="utf-8"))


def test_the_button_sets_up_the_engine_that_is_missing(window):
    said = run(
        window,
        """
    said["at first"] = [button(), row.isVisible()]
    panel.start.click()
    yield from answered(panel)
    said["missing"] = [panel.status.text(), button(), row.isVisible()]

    mood("fails")
    row.start.click()
    yield from ended()
    said["failed"] = [panel.status.text(), button()]

    mood("waits")
    row.start.click()
    for _ in range(400):
        yield 0.05
        if row.setup.share:
            break
    yield 0.5
    said["runs"] = [panel.status.text(), button(), row.bar.value(), panel.start.isEnabled()]
    made.setActiveNode(made.topLevelNodes()[0])
    yield 0.6
    row.cancel.click()
    yield from ended()
    said["cancelled"] = [panel.status.text(), button()]

    mood("works")
    row.start.click()
    yield from ended()
    said["ready"] = [panel.status.text(), row.isVisible(), panel.start.isEnabled()]
    said["words"] = json.loads((folder / "words").read_text())
""",
    )
    only_the_button, while_it_runs = [True, False, False], [False, True, True]
    assert said["at first"] == [[False, False, False], False]
    sentence = "The Harmonize engine is not installed. Press “Set up the engine” in the Harmonize docker."
    assert said["missing"] == [f"{sentence} It downloads about 50 MB, once.", only_the_button, True]
    assert said["failed"] == ["The parts could not be fetched. Connect, then try again.", only_the_button]
    runs = "Setting up the engine: Put them together. You can go on painting."
    assert said["runs"] == [runs, while_it_runs, 50, False]
    assert said["cancelled"] == ["Cancelled. What was downloaded is kept for the next time.", only_the_button]
    assert said["ready"] == ["The engine is ready. Press Harmonize.", False, True]
    assert said["words"] == ["install", "--no-editors", "--yes", "--progress", "json"]


def test_what_the_button_does_not_mend_has_none(window):
    said = run(
        window,
        """
    from harmonize_krita.task import Task
    from harmonize_krita.engine_client import EngineError

    def fail(task, *more):
        raise EngineError("internal", "The engine broke.", "Try again.")

    Task.ask = fail
    panel.start.click()
    yield from answered(panel)
    said["broke"] = [panel.status.text(), row.isVisible()]
""",
    )
    assert said["broke"] == ["The engine broke. Try again.", False]


def test_krita_closes_while_the_engine_is_set_up(window):
    """The installer goes on by itself; Krita neither waits nor crashes."""
    script = """
    panel.start.click()
    yield from answered(panel)
    mood("waits")
    row.start.click()
    yield 1
    (bench / "result").write_text(json.dumps({"runs": row.setup.running is not None}))
    made.setModified(False)
    krita.action("file_quit").trigger()
    yield 60
"""
    assert run(window, script) == {"runs": True}
