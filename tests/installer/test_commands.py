"""The command line of the installer, on a made-up machine with both editors and with small engines."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from installer import commands, engine, plugins, programs
from installer.failure import InstallError
from installer.lock import only_one
from installer.machine import Machine
from installer.payload import Payload
from tests.installer.made_up import Maker, linux, tree
from tests.installer.programs_made_up import program

repository = Path(__file__).resolve().parents[2]


@dataclass
class Ran:
    status: int
    out: str
    err: str


@dataclass
class Desk:
    """A machine with Krita's and GIMP's settings, somebody at its command line, and an installer of version 0.1.0."""

    machine: Machine
    maker: Maker
    payload: Payload
    capture: Callable[[], tuple[str, str]]

    def run(self, *words: object) -> Ran:
        self.capture()
        status = commands.main([str(word) for word in words])
        return Ran(status, *self.capture())

    def install(self, *words: object) -> Ran:
        ran = self.run("install", "--yes", "--wheelhouse", self.maker.wheelhouse, *words)
        assert ran.status == 0, ran
        return ran

    def refused(self, code: str, *words: object) -> str:
        """Run what must be refused with a code; gives the one line of the error."""
        ran = self.run(*words)
        assert ran.status == 2, ran
        assert ran.err.startswith(f"harmonize: error [{code}]: ") and ran.err.count("\n") == 1, ran.err
        return ran.err

    @property
    def home(self) -> Path:
        return self.machine.home

    def has(self, kind: str) -> bool:
        places = {"krita": ".local/share/krita/pykrita/harmonize_krita", "gimp": ".config/GIMP/3.0/plug-ins/harmonize"}
        return (self.home / places[kind] / "engine_client.py").is_file()

    def theirs(self) -> dict[str, bytes | None]:
        return {name: content for name, content in tree(self.home).items() if name != "stopped"}


def with_plugins(payload: Payload) -> Payload:
    for kind in ("krita", "gimp"):
        build = [sys.executable, repository / f"plugin_{kind}/build.py", payload.folder / kind]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    return payload


@pytest.fixture
def desk(tmp_path: Path, maker: Maker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    machine, payload = linux(tmp_path / "home"), with_plugins(maker.payload("0.1.0"))
    for path in (".config/kritarc", ".config/GIMP/3.0/gimprc"):
        (machine.home / path).parent.mkdir(parents=True, exist_ok=True)
        (machine.home / path).write_text("# theirs\n")
    monkeypatch.setattr(programs, "installed", lambda *_: [])
    monkeypatch.setattr(Machine, "this", lambda: machine)
    monkeypatch.setattr(Payload, "mine", lambda: payload)
    return Desk(machine, maker, payload, lambda: tuple(capsys.readouterr()))


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts somebody at the terminal who types this."""

    def answering(text: str) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        monkeypatch.setattr(sys, "stdin", Terminal(text))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    return answering


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the engine out, where it is the rest that is looked at."""
    monkeypatch.setattr(engine, "install", lambda *_, **__: "0.1.0")


# --- install


def test_install_puts_the_engine_and_the_plug_ins_there_and_tells_where_to_find_them(desk: Desk):
    told = desk.install().out
    assert desk.has("krita") and desk.has("gimp")
    assert (desk.machine.data / "engine.json").exists()
    assert told.splitlines()[-1] == (
        "Harmonize 0.1.0 is installed. In Krita: Settings > Dockers > Harmonize. "
        "In GIMP: Filters > Light and Shadow > Harmonize..."
    )
    assert "If Krita is open, close it and start it again." in told


def test_a_second_install_changes_nothing_and_is_quick(desk: Desk):
    desk.install()
    before = desk.theirs()
    told = desk.install().out
    assert desk.theirs() == before
    assert "The engine 0.1.0 is there" in told and "Write" not in told


def test_a_dry_run_tells_and_does_nothing(desk: Desk):
    before = desk.theirs()
    told = desk.run("install", "--dry-run").out
    assert "0.1.0" in told and "harmonize_krita" in told and "enable_harmonize_krita=true" in told
    assert told.endswith("Nothing was changed.\n")
    assert desk.theirs() == before


def test_whoever_is_asked_and_says_no_gets_nothing(desk: Desk, answering):
    before = desk.theirs()
    answering("n\n")
    ran = desk.run("install", "--wheelhouse", desk.maker.wheelhouse)
    assert ran.status == 0 and "This is going to be done:" in ran.out and "Go on? [Y/n]" in ran.out
    assert desk.theirs() == before


def test_enter_means_yes(quick: None, desk: Desk, answering):
    answering("\n")
    assert desk.run("install", "--wheelhouse", desk.maker.wheelhouse).status == 0
    assert desk.has("krita")


def test_options_alone_mean_install(quick: None, desk: Desk):
    assert desk.run("--yes", "--wheelhouse", desk.maker.wheelhouse).status == 0
    assert desk.has("gimp")


def test_one_editor_only_and_repair_remembers_it(quick: None, desk: Desk):
    desk.install("--editor", "krita")
    assert desk.has("krita") and not desk.has("gimp")
    assert desk.run("repair", "--yes", "--wheelhouse", desk.maker.wheelhouse).status == 0
    assert desk.has("krita") and not desk.has("gimp")


def test_no_editors_and_repair_remembers_that(quick: None, desk: Desk):
    told = desk.install("--no-editors").out
    assert told.splitlines()[-1] == "Harmonize 0.1.0 is installed."
    assert desk.run("repair", "--yes", "--wheelhouse", desk.maker.wheelhouse).status == 0
    assert not desk.has("krita") and not desk.has("gimp")


def test_an_editor_that_is_not_here_is_refused_before_anything_is_done(desk: Desk):
    before = desk.theirs()
    told = desk.refused("editor_unknown", "install", "--yes", "--editor", "krita-flatpak")
    assert "Found: Krita, GIMP 3.0." in told
    assert desk.theirs() == before


def test_what_keeps_the_plug_in_out_of_one_editor_does_not_keep_it_out_of_the_other(quick: None, desk: Desk):
    theirs = desk.home / ".local/share/krita/pykrita/harmonize_krita/docker.py"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("another plug-in")
    told = desk.refused("not_ours", "install", "--yes", "--wheelhouse", desk.maker.wheelhouse)
    assert "harmonize_krita holds another plug-in" in told
    assert desk.has("gimp") and theirs.read_text() == "another plug-in"


def test_a_wheelhouse_that_is_not_there_or_lacks_a_wheel_leaves_nothing(desk: Desk, tmp_path: Path):
    before = desk.theirs()
    desk.refused("wheelhouse_missing", "install", "--yes", "--wheelhouse", tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    told = desk.refused("wheel_missing", "install", "--yes", "--wheelhouse", tmp_path / "empty")
    assert "lacks tones" in told
    assert {name for name in desk.theirs() if "choices" in name or "plug-ins" in name} == set()
    assert {name: desk.theirs()[name] for name in before} == before


def test_two_installers_at_once_are_refused(desk: Desk):
    with only_one(desk.machine):
        desk.refused("busy", "install", "--yes", "--wheelhouse", desk.maker.wheelhouse)


# --- repair, roll-back, uninstall


def test_repair_mends_the_engine_and_the_plug_ins(desk: Desk):
    desk.install()
    installed = engine.installed(desk.machine)
    assert installed is not None
    installed.python.unlink()
    (desk.home / ".config/GIMP/3.0/plug-ins/harmonize/harmonize.py").unlink()
    assert desk.run("repair", "--yes", "--wheelhouse", desk.maker.wheelhouse).status == 0
    installed = engine.installed(desk.machine)
    assert installed is not None and installed.healthy
    assert (desk.home / ".config/GIMP/3.0/plug-ins/harmonize/harmonize.py").stat().st_mode & 0o111


def test_roll_back_goes_to_the_version_before(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    desk.install()
    desk.refused("no_previous", "repair", "--roll-back")
    newer = with_plugins(desk.maker.payload("0.2.0"))
    monkeypatch.setattr(Payload, "mine", lambda: newer)
    desk.install()
    assert desk.run("repair", "--roll-back").out.splitlines()[-1] == "Harmonize 0.1.0 is in use again."
    installed = engine.installed(desk.machine)
    assert installed is not None and installed.version == "0.1.0"


def test_uninstall_leaves_the_home_as_it_was(desk: Desk):
    before = desk.theirs()
    desk.install()
    ran = desk.run("uninstall", "--yes")
    assert ran.status == 0 and ran.out.endswith("Harmonize is removed.\n")
    assert desk.theirs() == before


def test_uninstall_from_one_editor_keeps_the_engine(desk: Desk):
    desk.install()
    desk.run("uninstall", "--yes", "--editor", "gimp")
    assert desk.has("krita") and not desk.has("gimp") and (desk.machine.data / "engine.json").exists()


def test_uninstall_wants_somebody_to_ask_or_yes(quick: None, desk: Desk):
    desk.install()
    assert "--yes" in desk.refused("usage", "uninstall")
    assert desk.has("krita")


def test_uninstall_where_nothing_is_installed_is_no_error(desk: Desk):
    before = desk.theirs()
    assert desk.run("uninstall", "--yes").status == 0
    assert desk.theirs() == before


def test_a_file_that_the_user_has_changed_is_kept(quick: None, desk: Desk):
    desk.install()
    changed = desk.home / ".config/GIMP/3.0/plug-ins/harmonize/panel.py"
    changed.write_text("mine")
    told = desk.run("uninstall", "--yes").out
    assert "your version is kept as panel.py.yours" in told
    assert (changed.parent / "panel.py.yours").read_text() == "mine"


# --- how it is told


def test_a_program_hears_json_lines_that_end_with_done(desk: Desk):
    told = [json.loads(line) for line in desk.install("--progress", "json").out.splitlines()]
    assert all({"sentence", "share"} == line.keys() for line in told[:-1])
    shares = [line["share"] for line in told if line.get("share") is not None]
    assert shares == sorted(shares) and shares[0] < 0.2 and shares[-1] == 1.0
    assert told[-1]["done"] is True and told[-1]["version"] == "0.1.0"


def test_a_program_hears_why_it_failed(desk: Desk, tmp_path: Path):
    ran = desk.run("install", "--yes", "--progress", "json", "--wheelhouse", tmp_path / "gone")
    told = json.loads(ran.out.splitlines()[-1])
    assert (told["done"], told["code"]) == (False, "wheelhouse_missing") and told["message"] and told["hint"]
    assert ran.err == ""


def test_all_that_was_done_as_one_document(quick: None, desk: Desk):
    told = json.loads(desk.install("--json").out)
    assert told["done"] and any(sentence.endswith("plug-ins/harmonize/panel.py") for sentence in told["did"])


@pytest.mark.parametrize("words", [["instal"], ["install", "--devise"], ["install", "--device", "tpu"], ["repair", "x"]])
def test_mistakes_on_the_command_line_are_one_line(desk: Desk, words: list[str]):
    assert "--help" in desk.refused("usage", *words)


def test_help_and_version(desk: Desk):
    assert desk.run("--help").status == 0
    assert desk.run("repair", "--help").status == 0
    assert desk.run("--version").out == "harmonize 0.1.0\n"


def test_a_defect_is_one_line_that_names_a_closed_log(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    desk.install("--no-editors")

    def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(plugins, "place", fail)
    ran = desk.run("install", "--yes", "--wheelhouse", desk.maker.wheelhouse)
    log = desk.machine.data / "install.log"
    assert ran.status == 1 and ran.err.count("\n") == 1 and str(log) in ran.err and "Traceback" not in ran.err
    assert "ZeroDivisionError: oops" in log.read_text()
    assert os.name != "posix" or log.stat().st_mode & 0o777 == 0o600


def test_the_system_having_no_more_memory_or_the_user_no_more_patience_is_told(desk: Desk, monkeypatch):
    for error, status, code in ((MemoryError, 2, "out_of_memory"), (KeyboardInterrupt, 130, "stopped")):

        def fail(*_: object, error: type[BaseException] = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(engine, "install", fail)
        ran = desk.run("install", "--yes")
        assert ran.status == status and f"[{code}]" in ran.err


def test_the_doctor_finds_what_is_wrong_and_says_so(desk: Desk):
    """A small engine cannot examine itself, which the doctor must survive."""
    desk.install()
    ran = desk.run("doctor")
    assert ran.status == 2 and "[problems_found]" in ran.err
    assert "ok       installed engine       0.1.0 for cpu" in ran.out
    assert "ok       Krita" in ran.out and "ok       GIMP 3.0" in ran.out


if os.name == "posix":

    def test_a_request_to_end_stops_it_with_all_it_has_started(desk: Desk, tmp_path: Path):
        slow = desk.maker.payload("0.3.0", trial="import time; time.sleep(60)")
        words = [
            sys.executable,
            program(tmp_path / "installer.pyz", slow),
            "install",
            "--yes",
            "--no-editors",
            "--wheelhouse",
            desk.maker.wheelhouse,
        ]
        environment = dict(desk.machine.environment)
        with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            assert child.stdout is not None and child.stderr is not None
            said: list[bytes] = []
            for line in child.stdout:
                said.append(line)
                if b"Trying the engine" in line:
                    break
            assert b"Trying the engine" in said[-1], said
            time.sleep(0.3)
            child.send_signal(signal.SIGTERM)
            assert child.stderr.read() == b"harmonize: error [stopped]: Stopped. Run it again to go on where it was.\n"
            assert child.wait() == 130


def test_errors_of_the_installer_reach_the_shell_as_status_2(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    def fail() -> Payload:
        raise InstallError("payload_missing", "It carries no engine.", "Use another one.")

    monkeypatch.setattr(Payload, "mine", fail)
    assert desk.refused("payload_missing", "install", "--yes").endswith("It carries no engine. Use another one.\n")
