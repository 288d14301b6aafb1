"""The Harmonize docker in the window of real Krita, with a real engine: pressed, dragged, undone, and disturbed."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from eager import eager_weights
from krita_plugin import builder, height, native, scene, soft_disc, width
from roots import HostFailed, Root, screen

here = Path(__file__).resolve().parent
desktop = "[Desktop Entry]\nType=Service\nServiceTypes=Krita/PythonPlugin\nX-KDE-Library=krita_steps\nName=Steps\n"
cold = (0.35, 0.5, 1.0)
settings = "\n[python]\nenable_harmonize_krita=true\nenable_krita_steps=true\n"


class Window:
    """Krita under a virtual screen, and the engine outside, which it reaches by loopback."""

    def __init__(self, root: Root) -> None:
        self.root, self.runtime, self.status = root, root.share / "runtime", 0
        plugins = root.session / "home/.local/share/krita/pykrita"
        subprocess.run([sys.executable, builder, plugins], check=True)
        (plugins / "krita_steps").mkdir(exist_ok=True)
        shutil.copy(here / "krita_steps.py", plugins / "krita_steps/__init__.py")
        (plugins / "krita_steps.desktop").write_text(desktop)
        with (root.session / "home/.config/kritarc").open("a") as kritarc:
            kritarc.write(settings)
        self.runtime.mkdir(mode=0o700, exist_ok=True)
        self.weights = eager_weights(root.share / "weights")
        encoded = scene()
        for name, colours, alpha in (
            ("background", 0.6 * encoded[::-1], np.ones_like(soft_disc())),
            ("cutout", encoded * cold, soft_disc()),
        ):
            (root.share / name).write_bytes(native(colours, alpha, "U8").tobytes())

    def serve(self) -> subprocess.Popen[str]:
        environment = dict(
            os.environ, HARMONIZE_RUNTIME_DIR=str(self.runtime), HARMONIZE_LOG_DIR=str(self.root.share / "logs")
        )
        command = [sys.executable, "-m", "model_server", "--announce", "--models-folder", str(self.weights)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=here.parents[1])
        assert server.stdout is not None
        assert json.loads(server.stdout.readline())["ready"]
        return server

    def run(self, script: str) -> dict:
        """Run a script's steps with an engine, which is killed when the script writes the file `kill`."""
        bench = self.root.bench
        for name in ("result", "trouble"):
            (bench / name).unlink(missing_ok=True)
        (bench / "script.py").write_text(script, encoding="utf-8")
        (bench / "arguments.json").write_text(json.dumps([width, height]))
        with self.serve() as server:
            ended = threading.Event()
            watcher = threading.Thread(target=self.kill_when_told, args=(server, ended))
            watcher.start()
            variables = (
                "env",
                "HARMONIZE_RUNTIME_DIR=/session/share/runtime",
                "QT_LOGGING_RULES=*=false",
            )
            shell = ("sh", "-c", "openbox & exec krita --nosplash")
            try:
                krita = self.root.run(*variables, *screen, *shell, timeout=100)
            finally:
                ended.set()
                watcher.join()
                server.kill()
        self.status = krita.returncode
        if not (bench / "result").exists():
            trouble = (bench / "trouble").read_text(encoding="utf-8") if (bench / "trouble").exists() else krita.stdout
            raise HostFailed(f"krita ended with status {krita.returncode}\n{trouble}")
        return json.loads((bench / "result").read_text(encoding="utf-8"))

    def kill_when_told(self, server: subprocess.Popen[str], ended: threading.Event) -> None:
        while not ended.wait(0.05):
            if (self.root.share / "kill").exists():
                (self.root.share / "kill").unlink()
                server.kill()
                return


@pytest.fixture(scope="module")
def window(krita_root) -> Iterator[Window]:
    yield Window(krita_root)


start = """
def steps():
    made, layer = picture("scene", *arguments)
    yield 1
    made.setActiveNode(layer)
    panel = docker()
    yield 1
    before, harmonizer = shown(made), panel.harmonizer

    def names():
        return [one.name() for one in made.topLevelNodes()]
"""


def test_press_drag_undo_redo_update_remove(window):
    said = window.run(
        start
        + """
    said["button"] = panel.start.text()
    panel.start.click()
    said["busy"] = [harmonizer.is_busy, panel.cancel.isVisible(), panel.start.isEnabled()]
    yield from answered(panel)
    after = shown(made)
    said["pressed"] = [panel.status.text(), names(), before != after, undo_step(), panel.start.text()]
    said["engine"] = panel.engine.text()
    said["score"] = panel.score.content is not None and panel.curves_plot.content is not None
    panel.before.click()
    yield 0.3
    said["before"] = shown(made) == before
    panel.before.click()
    yield 0.3
    said["after"] = shown(made) == after
    panel.color.slider.setValue(0)
    panel.light.slider.setValue(0)
    yield 0.5
    said["weak"] = shown(made) == before
    panel.color.slider.setValue(50)
    yield 0.5
    said["half"] = shown(made) not in (before, after)
    panel.color.slider.setValue(100)
    panel.light.slider.setValue(100)
    yield 0.5
    said["strong"] = [shown(made) == after, undo_step()]
    krita.action("edit_undo").trigger()
    yield 1
    said["undone"] = [shown(made) == before, names(), layer.opacity(), panel.start.text()]
    krita.action("edit_redo").trigger()
    yield 1
    said["redone"] = [shown(made) == after, panel.start.text()]
    panel.start.click()
    yield from answered(panel)
    said["updated"] = [shown(made) == after, panel.status.text(), len(names()), undo_step()]
    panel.remove.click()
    yield 0.6
    said["removed"] = [shown(made) == before, names(), undo_step()]
    krita.action("edit_undo").trigger()
    yield 1
    said["not removed"] = shown(made) == after
"""
    )
    group = "Harmonize: Pasted"
    assert said["button"] == "Harmonize"
    assert said["busy"] == [True, True, False]
    assert said["pressed"] == ["Harmonized “Pasted”.", ["Background", "Pasted", group], True, "Undo Add Layer", "Update"]
    assert said["engine"].startswith("Engine: server, cpu")
    assert all(said[name] for name in ("score", "before", "after", "weak", "half", "not removed"))
    assert said["strong"] == [True, "Undo Add Layer"]  # a slider is no undo step
    assert said["undone"] == [True, ["Background", "Pasted"], 255, "Harmonize"]  # by one step
    assert said["redone"] == [True, "Update"]
    assert said["updated"] == [True, "Updated “Pasted”.", 3, "Undo Add Layer"]
    assert said["removed"] == [True, ["Background", "Pasted"], "Undo Remove Layer"]


def test_deleting_the_group_by_hand_shows_the_layer_again(window):
    said = window.run(
        start
        + """
    panel.start.click()
    yield from answered(panel)
    after = shown(made)
    made.setActiveNode(made.topLevelNodes()[2])
    yield 0.6
    krita.action("remove_layer").trigger()
    yield 1
    said["deleted"] = [shown(made) == before, names()]
    krita.action("edit_undo").trigger()
    yield 1
    said["undone"] = shown(made) == after
"""
    )
    assert said == {"deleted": [True, ["Background", "Pasted"]], "undone": True}


def test_a_stroke_on_the_layer_shows_through(window):
    """A hidden layer could not be painted on, so the layer is not hidden."""
    said = window.run(
        start
        + """
    import subprocess
    panel.start.click()
    yield from answered(panel)
    after, pixels = shown(made), bytes(layer.pixelData(0, 0, *arguments))
    made.setActiveNode(layer)
    yield 0.8
    area = krita.activeWindow().qwindow().centralWidget()
    place = area.mapToGlobal(area.rect().center())
    moves = " ".join(f"mousemove {place.x() + step} {place.y() + step % 20}" for step in range(0, 60, 10))
    subprocess.run(f"xdotool mousemove {place.x()} {place.y()} mousedown 1 {moves} mouseup 1", shell=True)
    yield 1.5
    said["painted"] = [bytes(layer.pixelData(0, 0, *arguments)) != pixels, shown(made) != after, undo_step()]
"""
    )
    assert said["painted"] == [True, True, "Undo Freehand Brush Stroke"]


def test_what_happens_while_the_engine_thinks(window):
    said = window.run(
        start
        + """
    import subprocess
    slow(1.5)
    panel.start.click()
    yield 0.3
    panel.cancel.click()
    yield from answered(panel)
    said["cancelled"] = [panel.status.text(), names()]

    copy = layer.duplicate()
    made.rootNode().addChildNode(copy, layer)
    yield 0.5
    made.setActiveNode(made.topLevelNodes()[2])
    yield 0.5
    panel.start.click()
    yield 0.3
    made.topLevelNodes()[2].remove()
    yield from answered(panel)
    said["deleted"] = [panel.status.text(), names()]

    made.setActiveNode(layer)
    yield 0.5
    panel.start.click()
    yield 0.3
    other = krita.createDocument(300, 200, "other", "RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc", 72.0)
    krita.activeWindow().addView(other)
    yield from answered(panel)
    said["elsewhere"] = [panel.status.text(), names(), len(other.topLevelNodes())]
    other.setModified(False)
    other.close()
    yield 1
    made.setActiveNode(layer)
    yield 0.8
    area = krita.activeWindow().qwindow().centralWidget()
    place = area.mapToGlobal(area.rect().center())
    subprocess.run(f"xdotool mousemove {place.x()} {place.y()} mousedown 1", shell=True)
    yield 0.1
    panel.start.click()
    for step in range(60):
        subprocess.run(f"xdotool mousemove {place.x() + step} {place.y() + step % 9}", shell=True)
        yield 0.05
    said["stroke"] = [harmonizer.is_busy, harmonizer.stage]
    subprocess.run("xdotool mouseup 1", shell=True)
    yield from answered(panel)
    said["after the stroke"] = panel.status.text()

    panel.start.click()
    yield 0.3
    made.setModified(False)
    made.close()
    yield from answered(panel)
    said["closed"] = panel.status.text()
"""
    )
    assert said["cancelled"] == ["Cancelled.", ["Background", "Pasted"]]
    assert said["deleted"] == ["The layer “Pasted” was deleted meanwhile.", ["Background", "Pasted"]]
    sentence, there, elsewhere = said["elsewhere"]
    assert sentence == "Harmonized “Pasted”. (in “scene”)"
    assert there == ["Background", "Pasted", "Harmonize: Pasted"]
    assert elsewhere == 1
    assert said["stroke"] == [True, "Waiting for your stroke"]
    assert said["after the stroke"] == "Updated “Pasted”."
    assert said["closed"] == "The picture was closed meanwhile."


def test_several_layers_one_after_the_other(window):
    said = window.run(
        start
        + """
    copy = layer.duplicate()
    copy.setName("Second")
    made.rootNode().addChildNode(copy, layer)
    yield 0.5
    krita.action("select_all_layers").trigger()
    yield 0.6
    panel.start.click()
    yield from answered(panel)
    said["told"], said["names"] = panel.status.text(), names()
"""
    )
    told = "“Background” covers the whole picture. Harmonized “Pasted”. Harmonized “Second”."
    assert said["told"] == told
    assert said["names"] == ["Background", "Pasted", "Harmonize: Pasted", "Second", "Harmonize: Second"]


def test_an_engine_that_is_killed_is_told_in_a_sentence(window):
    """No installer ran in this root, so nothing can start another one."""
    said = window.run(
        start
        + """
    panel.start.click()
    yield from answered(panel)
    panel.remove.click()
    (share / "kill").touch()
    yield 1
    panel.start.click()
    yield from answered(panel)
    said["killed"] = [panel.status.text(), names()]
    places = panel.choices.engine
    places.setCurrentIndex(places.findData("in-process"))
    places.activated.emit(places.currentIndex())
    panel.start.click()
    yield from answered(panel)
    said["inside"] = panel.status.text()
    places.setCurrentIndex(places.findData("auto"))
    places.activated.emit(places.currentIndex())
"""
    )
    assert said["inside"] == "The Harmonize engine is not installed inside Krita. Set Engine to Automatic."
    assert said["killed"] == [
        "The Harmonize engine is not installed. Run the Harmonize installer.",
        ["Background", "Pasted"],
    ]


def test_the_menu_does_the_same_without_the_docker(window):
    said = window.run(
        start
        + """
    (found,) = [one for one in krita.dockers() if one.objectName() == "harmonize"]
    found.setVisible(False)
    from krita import View
    said["floating"] = []
    View.showFloatingMessage = lambda view, text, *how: said["floating"].append(text)
    krita.action("harmonize_layer").trigger()
    yield from answered(panel)
    said["names"] = names()
    found.setVisible(True)
    krita.action("harmonize_layer").trigger()
    yield from answered(panel)
"""
    )
    assert said["floating"] == ["Harmonized “Pasted”."]  # over the canvas, only where no docker tells
    assert said["names"] == ["Background", "Pasted", "Harmonize: Pasted"]


def test_the_curves_open_in_kritas_own_dialog(window):
    said = window.run(
        start
        + """
    from harmonize_krita.qt import QApplication
    panel.start.click()
    yield from answered(panel)
    panel.edit.click()
    yield 1.5
    said["titles"] = [one.windowTitle() for one in QApplication.topLevelWidgets() if one.isVisible()]
"""
    )
    assert any(title.startswith("Filter Layer Properties") for title in said["titles"])


def test_curves_edited_by_hand_are_asked_about(window):
    said = window.run(
        start
        + """
    from harmonize_krita.qt import QApplication

    def press(text):
        def go():
            boxes = [one for one in QApplication.topLevelWidgets() if one.objectName() == "harmonize_edits"]
            (box,) = [one for one in boxes if one.isVisible()]
            said.setdefault("questions", []).append(box.text())
            [one for one in box.buttons() if text in one.text()][0].click()
        QTimer.singleShot(600, go)

    panel.start.click()
    yield from answered(panel)
    ours = shown(made)
    curves = made.topLevelNodes()[2].childNodes()[1]
    curves.filter().configuration().setProperties({"curve1": "0,0;0.5,0.8;1,1;"})
    made.refreshProjection()
    yield 0.3
    theirs = shown(made)
    for text in ("Cancel", "Keep", "Replace"):
        press(text)
        panel.start.click()
        yield from answered(panel)
        said[text] = [shown(made) == theirs, shown(made) == ours, panel.status.text()]
"""
    )
    assert said["questions"] == ["You have changed these layers by hand: Tone curves."] * 3
    assert said["Cancel"] == [True, False, "Harmonized “Pasted”."]
    assert said["Keep"] == [True, False, "Updated “Pasted”. Kept as you edited it: Tone curves."]
    assert said["Replace"] == [False, True, "Updated “Pasted”."]


@pytest.mark.parametrize(
    ("harmony", "reason"), [(0.9, "“Pasted” already fits"), (0.28, "Harmonizing “Pasted” would probably not help")]
)
def test_what_the_engine_would_leave_can_be_harmonized_anyway(window, harmony, reason):
    said = window.run(
        start
        + f"    harmony = {harmony}\n"
        + """
    from harmonize_krita.task import Task
    ask = Task.ask

    def content(task, *more):
        answer = ask(task, *more)
        answer.harmonization["confidence"] = {"before": harmony, "after": harmony, "leave": True}
        return answer

    Task.ask = content
    panel.start.click()
    yield from answered(panel)
    said["left"] = [panel.status.text(), len(names())]
    panel.status.linkActivated.emit("anyway")
    yield from answered(panel)
    said["anyway"] = [panel.status.text(), len(names())]
"""
    )
    sentence, layers = said["left"]
    assert sentence.startswith(f"{reason}: nothing was added.")
    assert "<a href='anyway'>" in sentence
    assert layers == 2
    assert said["anyway"] == ["Harmonized “Pasted”.", 3]


def test_a_linear_picture_is_offered_kritas_conversion(window):
    said = window.run(
        start
        + """
    from harmonize_krita.qt import QApplication

    def look():
        said["asked"] = [type(one).__name__ for one in QApplication.topLevelWidgets() if one.isVisible()]
        QApplication.activeModalWidget().reject()

    made.setColorSpace("RGBA", "U16", "sRGB-elle-V2-g10.icc")
    made.waitForDone()
    yield 0.6
    panel.start.click()
    yield from answered(panel)
    said["told"] = panel.status.text()
    QTimer.singleShot(1500, look)
    panel.status.linkActivated.emit("convert")
    yield 2
"""
    )
    sentence, link = said["told"].split(" <a ")
    assert sentence == "Harmonized “Pasted”. The document is linear: close, not exact."
    assert link.startswith("href='convert'>")
    assert "QDialog" in said["asked"]


def test_a_refusal_of_the_engine_leads_to_its_log(window):
    said = window.run(
        start
        + """
    from harmonize_krita import panel as module
    from harmonize_krita.task import Task
    from harmonize_krita.engine_client import EngineError

    def fail(task, *more):
        raise EngineError("internal", "The engine broke.", "Look into its log.", "/session/share/logs/server.log")

    Task.ask, opened = fail, []
    module.QDesktopServices.openUrl = lambda url: opened.append(url.toLocalFile())
    panel.start.click()
    yield from answered(panel)
    panel.status.linkActivated.emit("log")
    said["told"], said["opened"], said["names"] = panel.status.text(), opened, names()
"""
    )
    assert said["told"] == "The engine broke. Look into its log. <a href='log'>Open log</a>"
    assert said["opened"] == ["/session/share/logs/server.log"]
    assert said["names"] == ["Background", "Pasted"]


def test_krita_closes_while_the_engine_thinks(window):
    """The thread ends with Krita; a crash would be another exit status."""
    script = """
    slow(60)
    panel.start.click()
    yield 0.5
    (bench / "result").write_text(json.dumps({"busy": harmonizer.is_busy}))
    made.setModified(False)
    krita.action("file_quit").trigger()
    yield 60
"""
    assert window.run(start + script) == {"busy": True}
    assert window.status == 0
