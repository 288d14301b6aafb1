"""The plug-ins in trees of files: placed, renewed, inspected, taken away again."""

import json
import os
from pathlib import Path

import pytest

import installer.changes
from installer.changes import Changes
from installer.editors import Editor
from installer.failure import InstallError
from installer.machine import Machine
from installer.payload import Payload
from installer.plugins import inspect, place, remove, set_aside

client = '# Part of Harmonize. The plug-ins carry copies.\nwanted_version = "0.2.0"\n'
kritarc = "theme=Krita dark\r\n[python]\r\nenable_other=true\r\n[RecentFiles]\r\nName1=caf\u00e9.png\r\n"


def put(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode())
    return path


class Home:
    """A user's home, editors in it, and an installer that carries small plug-ins."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "Anna Müller"
        self.home.mkdir()
        self.machine = Machine("linux", "x86_64", {}, self.home)
        carried = folder / "payload"
        put(carried / "harmonize-0.2.0-py3-none-any.whl")
        for name in ("__init__", "docker"):
            put(carried / f"krita/harmonize_krita/{name}.py", f"# {name}\n")
        put(carried / "krita/harmonize_krita/engine_client.py", client)
        put(carried / "krita/harmonize_krita.desktop", "[Desktop Entry]\nX-KDE-Library=harmonize_krita\n")
        put(carried / "krita/harmonize_krita.action", "<ActionCollection/>\n")
        put(carried / "gimp/harmonize/harmonize.py", "#!/usr/bin/env python3\n")
        put(carried / "gimp/harmonize/engine_client.py", client)
        self.payload = Payload(carried, folder / "harmonize-install.pyz")
        self.krita = Editor(
            "krita", "5.3.4", "system", self.home / ".local/share/krita/pykrita", self.home / ".config/kritarc"
        )
        own = self.home / ".config/GIMP/3.2"
        self.gimp = Editor("gimp", "3.2.6", "system", own / "plug-ins", own / "gimprc")

    def changes(self, dry: bool = False) -> Changes:
        return Changes(self.machine, dry=dry)

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Every file and folder, but for Harmonize's own."""
        paths = [path for path in self.home.rglob("*") if self.machine.data not in (path, *path.parents)]
        return {
            str(path.relative_to(self.home)): (path.read_bytes() if path.is_file() else b"", path.stat().st_mode)
            for path in paths
        }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(params=["krita", "gimp"])
def editor(home: Home, request: pytest.FixtureRequest) -> Editor:
    return getattr(home, request.param)


def test_krita_gets_its_files_its_shortcut_and_one_line(home):
    put(home.krita.settings, kritarc)
    told = place(home.krita, home.payload, home.changes())
    assert told == ["If Krita 5.3.4 is open, close it and start it again."]
    assert (home.krita.plugins / "harmonize_krita/docker.py").read_text() == "# docker\n"
    assert (home.krita.plugins / "harmonize_krita.desktop").exists()
    assert (home.krita.plugins.parent / "actions/harmonize_krita.action").exists()
    line = b"enable_other=true\r\nenable_harmonize_krita=true\r\n"
    assert home.krita.settings.read_bytes() == kritarc.encode().replace(b"enable_other=true\r\n", line)


def test_gimp_gets_a_program_it_can_run(home):
    place(home.gimp, home.payload, home.changes())
    program = home.gimp.plugins / "harmonize/harmonize.py"
    assert program.parent.name == program.stem
    assert os.access(program, os.X_OK)
    assert not os.access(program.with_name("engine_client.py"), os.X_OK)


def test_away_again_leaves_the_home_as_it_was(home, editor):
    put(editor.settings, kritarc)
    put(editor.plugins / "other/other.py", "somebody else's")
    before = home.files()
    place(editor, home.payload, home.changes())
    put(editor.plugins / ("harmonize_krita" if editor.kind == "krita" else "harmonize") / "__pycache__/engine_client.1.pyc")
    assert home.files() != before
    assert remove(editor, home.changes()) == []
    home.changes().remove_all()
    assert home.files() == before


def test_an_editor_that_was_never_started_is_left_without_a_trace(home, editor):
    before = home.files()
    place(editor, home.payload, home.changes())
    remove(editor, home.changes())
    assert home.changes().placed() == []
    home.changes().remove_all()  # nothing but the record itself
    assert home.files() == before


def test_once_more_changes_nothing_and_says_nothing(home, editor):
    place(editor, home.payload, home.changes())
    before = home.files()
    assert place(editor, home.payload, home.changes()) == []
    assert home.files() == before


def test_a_dry_run_tells_and_does_nothing(home, editor):
    put(editor.settings, kritarc)
    before, changes = home.files(), home.changes(dry=True)
    place(editor, home.payload, changes)
    assert any("engine_client.py" in sentence for sentence in changes.told)
    assert home.files() == before


def test_a_newer_version_takes_the_files_of_the_older_one_away(home, editor):
    place(editor, home.payload, home.changes())
    (gone,) = [path for path in home.payload.folder.rglob("engine_client.py") if editor.kind in path.parts]
    put(gone.with_name("newer.py"), "# newer\n")
    gone.with_name("older.py").unlink(missing_ok=True)
    (home.payload.folder / "krita/harmonize_krita/docker.py").unlink()
    place(editor, home.payload, home.changes())
    placed = {path.name for path in editor.plugins.rglob("*.py")}
    assert "newer.py" in placed
    assert "docker.py" not in placed


def test_an_update_that_is_killed_anywhere_is_finished_by_the_next(home, editor, monkeypatch):
    """And what it left half done is not taken for something the user has changed."""
    put(editor.settings, kritarc)
    before = home.files()
    place(editor, home.payload, home.changes())
    for client in home.payload.folder.rglob("engine_client.py"):
        client.write_text("# Part of Harmonize.\nwanted_version = '0.2.0'  # newer\n")
    put(home.payload.folder / "krita/harmonize_krita/docker.py", "# newer\n")
    put(home.payload.folder / "gimp/harmonize/harmonize.py", "# newer\n")
    write, left, kills = installer.changes.write, [], 0

    def killed(*given):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        write(*given)

    monkeypatch.setattr(installer.changes, "write", killed)
    while True:  # each time it gets one further
        left[:] = [None] * kills
        try:
            place(editor, home.payload, home.changes())
            break
        except KeyboardInterrupt:
            kills += 1
    assert kills > 2
    monkeypatch.undo()
    assert [row.found for row in inspect(editor, home.payload)] == ["has Harmonize 0.2.0"]
    remove(editor, home.changes())
    home.changes().remove_all()
    assert home.files() == before


def test_what_the_user_has_changed_is_kept_aside(home, editor):
    place(editor, home.payload, home.changes())
    (changed,) = editor.plugins.rglob("engine_client.py")
    for edit in ("mine", "mine too"):
        changed.write_text(edit)
        told = place(editor, home.payload, home.changes())
        assert told[0].startswith(f"You have changed {changed}: your version is kept as engine_client.py.yours")
    assert changed.read_text() == client
    changed.write_text("mine again")
    assert remove(editor, home.changes())[0].endswith("engine_client.py.yours3.")
    assert not changed.exists()
    assert [changed.with_name(f"{changed.name}.yours{n}").read_text() for n in ("", "2", "3")] == [
        "mine",
        "mine too",
        "mine again",
    ]


def test_before_everything_is_removed_changed_files_of_all_editors_are_kept(home):
    for editor in (home.krita, home.gimp):
        place(editor, home.payload, home.changes())
        next(editor.plugins.rglob("engine_client.py")).write_text("mine")
    changes = home.changes()
    assert len(set_aside(changes)) == 2
    changes.remove_all()
    assert sorted(path.name for path in home.home.rglob("*") if path.is_file()) == ["engine_client.py.yours"] * 2


def test_a_plugin_that_came_by_the_zip_is_taken_over(home, editor):
    """Krita's importer has put it there, or GIMP has copied it from the folder of its older version."""
    folder = editor.plugins / ("harmonize_krita" if editor.kind == "krita" else "harmonize")
    put(folder / "engine_client.py", client.replace("0.2.0", "0.1.0"))
    put(folder / "gone_since.py")
    put(folder / "harmonize-install.pyz")
    put(folder / "__pycache__/gone_since.cpython-311.pyc")
    place(editor, home.payload, home.changes())
    assert (folder / "engine_client.py").read_text() == client
    assert not list(folder.rglob("gone_since*"))
    assert not (folder / "harmonize-install.pyz").exists()
    remove(editor, home.changes())
    assert not folder.exists()


def test_removing_takes_a_plugin_that_came_by_the_zip_too(home, editor):
    folder = editor.plugins / ("harmonize_krita" if editor.kind == "krita" else "harmonize")
    put(folder / "engine_client.py", client)
    put(folder / "more.py")
    changes = home.changes(dry=True)
    remove(editor, changes)
    assert (folder / "more.py").exists()
    remove(editor, home.changes())
    assert not folder.exists()
    assert editor.plugins.exists()


def test_another_plugin_of_the_same_name_is_left_alone(home, editor):
    other = put(editor.plugins / ("harmonize_krita" if editor.kind == "krita" else "harmonize") / "harmonize.py", "other")
    with pytest.raises(InstallError, match="holds another plug-in of the same name"):
        place(editor, home.payload, home.changes())
    assert remove(editor, home.changes()) == []
    assert other.read_text() == "other"
    assert list(other.parent.iterdir()) == [other]


def test_an_editor_that_is_blocked_is_left_alone(home):
    old = Editor("gimp", "2.10", "system", home.home / "plug-ins", None, blocked="Too old.")
    waiting = Editor("gimp", "3.2", "system", home.home / "plug-ins", None, blocked="Start GIMP 3.2 once.")
    assert place(old, home.payload, home.changes()) == ["Too old."]
    assert home.files() == {}
    assert [(row.ok, row.found) for row in inspect(old, home.payload)] == [(True, "Too old.")]
    assert [(row.ok, row.found) for row in inspect(waiting, home.payload)] == [(False, "Start GIMP 3.2 once.")]


def test_the_doctors_row(home, editor):
    def row() -> str:
        (only,) = inspect(editor, home.payload)
        assert only.ok == (not only.todo)
        return f"{only.found}: {only.todo}"

    assert row() == "has no Harmonize: Run: harmonize install"
    place(editor, home.payload, home.changes())
    assert row() == "has Harmonize 0.2.0: "
    (found,) = editor.plugins.rglob("engine_client.py")
    found.write_text(client + "# mine\n")
    assert row() == f"{found} was changed: Run: harmonize repair"
    found.write_text(client.replace("0.2.0", "0.1.0"))
    assert row() == "has Harmonize 0.1.0, but the engine is 0.2.0: Run: harmonize repair"
    found.unlink()
    assert row() == f"lacks {found}: Run: harmonize repair"


def test_the_doctor_sees_a_plugin_that_is_switched_off(home):
    place(home.krita, home.payload, home.changes())
    put(home.krita.settings, home.krita.settings.read_text().replace("krita=true", "krita=false"))
    (row,) = inspect(home.krita, home.payload)
    assert (row.ok, row.found) == (False, "has Harmonize, switched off")
    assert "Python Plugin Manager" in row.todo


def test_the_doctor_sees_a_gimp_that_looks_elsewhere(home):
    place(home.gimp, home.payload, home.changes())
    put(home.gimp.settings, '(plug-in-path "${gimp_dir}/plug-ins:/opt/plug-ins")\n')
    assert [row.ok for row in inspect(home.gimp, home.payload)] == [True]
    put(home.gimp.settings, '(undo-levels 5)\n(plug-in-path "/opt/plug-ins")\n')
    (row,) = inspect(home.gimp, home.payload)
    assert (row.ok, row.found) == (False, "looks for plug-ins elsewhere")


def test_the_doctor_sees_a_program_that_cannot_run(home):
    place(home.gimp, home.payload, home.changes())
    (home.gimp.plugins / "harmonize/harmonize.py").chmod(0o644)
    (row,) = inspect(home.gimp, home.payload)
    assert row.found.endswith("it is not executable")


def test_a_snap_cannot_start_an_engine(home):
    krita = Editor("krita", "5.2.9", "snap", home.krita.plugins, home.krita.settings, sandboxed=())
    place(krita, home.payload, home.changes())
    assert [(row.ok, row.found) for row in inspect(krita, home.payload)] == [
        (True, "has Harmonize 0.2.0"),
        (False, "cannot be started from its sandbox"),
    ]


def test_a_sandbox_needs_an_engine_that_runs_inside(home):
    inside = home.home / ".var/app/org.kde.krita/data/harmonize/engine.json"
    outside = home.home / ".local/share/harmonize/engine.json"
    krita = Editor("krita", "5.2.9", "flatpak", home.krita.plugins, home.krita.settings, sandboxed=(inside, outside))
    place(krita, home.payload, home.changes())

    def engine() -> tuple[bool, str]:
        _, row = inspect(krita, home.payload)
        return row.ok, row.found

    def started_by(python: Path, record: Path) -> None:
        link = record.parent / "versions/1/bin/python"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(python)
        put(record, json.dumps({"command": [str(link), "-m", "model_server"]}))

    assert engine() == (False, "has none in its sandbox")
    started_by(Path("/usr/bin/env"), outside)  # a program of the system outside, which the sandbox does not have
    assert engine() == (False, "has none in its sandbox")
    started_by(put(home.home / ".local/share/uv/python3"), outside)
    assert engine() == (True, "can start the one outside of its sandbox")
    started_by(Path("/only/in/the/sandbox/python3"), inside)
    assert engine() == (True, "has one in its sandbox")
    put(inside, "{ damaged")
    put(outside, "[]")
    assert engine() == (False, "has none in its sandbox")
