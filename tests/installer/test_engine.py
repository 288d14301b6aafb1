"""Real installations of small engines, from a folder of wheels: whatever fails, an engine that worked still works."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from installer import accelerator, engine, environment
from installer.changes import Changes
from installer.engine import Source, installed
from installer.failure import InstallError
from installer.lock import only_one
from installer.machine import Machine
from installer.payload import Payload
from installer.rows import Tell, silent
from tests.installer.made_up import Maker, accelerated, broken, linux, tree


class Desk:
    """A machine, and somebody who installs on it and hears what is told."""

    def __init__(self, machine: Machine, wheelhouse: Path) -> None:
        self.machine, self.wheelhouse = machine, wheelhouse
        self.told: list[tuple[str, float | None]] = []

    def install(self, payload: Payload, device: environment.Device | None = None) -> str:
        self.told.clear()
        with only_one(self.machine):
            return engine.install(
                self.machine,
                payload,
                source=Source(self.wheelhouse),
                device=device,
                tell=lambda *told: self.told.append(told),
                changes=Changes(self.machine),
            )

    def remove(self) -> None:
        with only_one(self.machine):
            changes = Changes(self.machine)
            engine.remove(self.machine, silent, changes)
            changes.remove_all()

    def started(self) -> str:
        """What the engine's Python is that the plug-ins would start."""
        command = json.loads((self.machine.data / "engine.json").read_text())["command"]
        return subprocess.run(
            [command[0], "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True
        ).stdout.strip()

    def heard(self) -> str:
        return " / ".join(sentence for sentence, _ in self.told)

    def folder(self, name: str) -> Path:
        return self.machine.data / "versions" / name


@pytest.fixture
def desk(tmp_path: Path, maker: Maker, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk where wheels are unpacked without pip, which takes a second each time; pip's own tests are elsewhere."""

    def unpack(machine: Machine, payload: Payload, lock: Path, folder: Path, source: Source, tell: Tell) -> None:
        packages = next(folder.glob("lib/python3*/site-packages"))
        for wheel in (payload.wheel(), *maker.wheelhouse.iterdir()):
            zipfile.ZipFile(wheel).extractall(packages)
        tell("Unpacking", 0.5)

    monkeypatch.setattr("installer.packages.fill", unpack)
    return Desk(linux(tmp_path / "home"), maker.wheelhouse)


def test_the_first_installation_is_found_by_the_plugins_and_by_the_command(desk: Desk, maker: Maker) -> None:
    assert desk.install(maker.payload("1.0")) == "1.0"
    assert desk.started() == str(desk.folder("1.0"))
    assert (desk.machine.data / "engine.json").stat().st_mode & 0o777 == 0o600
    assert (desk.machine.data / "harmonize-install.pyz").read_bytes() == b"the installer of 1.0"
    command = desk.machine.home / ".local/bin/harmonize"
    assert subprocess.run([command, "apply", "a b"], capture_output=True, text=True).stdout == "harmonize 1.0 apply a b\n"
    assert installed(desk.machine) == engine.Installed("1.0", "cpu", desk.folder("1.0") / "bin/python", True, None)
    assert {path.name for path in desk.folder("1.0").parent.iterdir()} == {"1.0"}
    assert not (desk.machine.data / "downloads").exists()


def test_what_is_told_goes_from_nothing_to_all(desk: Desk, maker: Maker) -> None:
    desk.install(maker.payload("1.0"))
    shares = [share for _, share in desk.told if share is not None]
    assert shares == sorted(shares) and 0 <= shares[0] < 0.2 and shares[-1] == 1


def test_removal_leaves_the_home_as_it_was(desk: Desk, maker: Maker) -> None:
    (desk.machine.home / ".config").mkdir()
    (desk.machine.home / ".config" / "theirs").write_text("theirs")
    before = tree(desk.machine.home)
    desk.install(maker.payload("1.0"))
    (desk.machine.logs / "log").mkdir()
    (desk.machine.logs / "log" / "server.log").write_text("of the engine")
    desk.remove()
    (desk.machine.home / "stopped").unlink()
    assert tree(desk.machine.home) == before


def test_an_installation_over_a_healthy_one_only_tries_it(desk: Desk, maker: Maker) -> None:
    payload = maker.payload("1.0")
    desk.install(payload)
    made = desk.folder("1.0").stat().st_ino
    desk.install(payload)
    assert desk.folder("1.0").stat().st_ino == made
    assert "is there" in desk.heard() and "environment" not in desk.heard()


def test_an_installation_over_a_damaged_one_makes_it_anew(desk: Desk, maker: Maker) -> None:
    payload = maker.payload("1.0")
    desk.install(payload)
    trial = next(desk.folder("1.0").rglob("installer/trial.py"))
    trial.write_text(broken)
    desk.install(payload)
    assert "the weights are gone" in desk.heard()
    assert "weights" not in trial.read_text()
    assert {path.name for path in desk.folder("1.0").parent.iterdir()} == {"1.0"}


def test_the_same_version_made_of_other_files_is_another_one(desk: Desk, maker: Maker) -> None:
    desk.install(maker.payload("1.0"))
    desk.install(maker.payload("1.0", trial=accelerated))
    assert "environment" in desk.heard()


def test_an_upgrade_keeps_the_version_before_and_stops_its_server(desk: Desk, maker: Maker) -> None:
    for version in ("1.0", "1.1", "1.2"):
        desk.install(maker.payload(version))
    found = installed(desk.machine)
    assert found and (found.version, found.previous, found.healthy) == ("1.2", "1.1", True)
    assert {path.name for path in desk.folder("1.2").parent.iterdir()} == {"1.1", "1.2"}
    assert (desk.machine.home / "stopped").read_text().split() == [str(desk.folder("1.0")), str(desk.folder("1.1"))]


def test_rolling_back_and_forth(desk: Desk, maker: Maker) -> None:
    desk.install(maker.payload("1.0"))
    desk.install(maker.payload("1.1"))
    assert engine.roll_back(desk.machine, silent) == "1.0"
    assert desk.started() == str(desk.folder("1.0"))
    assert engine.roll_back(desk.machine, silent) == "1.1"
    assert desk.started() == str(desk.folder("1.1"))


def test_without_an_earlier_version_there_is_nothing_to_roll_back_to(desk: Desk, maker: Maker) -> None:
    desk.install(maker.payload("1.0"))
    with pytest.raises(InstallError) as refusal:
        engine.roll_back(desk.machine, silent)
    assert refusal.value.code == "no_previous"
    assert desk.started() == str(desk.folder("1.0"))


def test_a_new_version_that_does_not_work_never_comes_into_use(desk: Desk, maker: Maker) -> None:
    desk.install(maker.payload("1.0"))
    before = tree(desk.machine.data)
    with pytest.raises(InstallError) as refusal:
        desk.install(maker.payload("1.1", trial=broken))
    assert refusal.value.code == "engine_unfit" and "the weights are gone" in refusal.value.message
    assert desk.started() == str(desk.folder("1.0"))
    assert {name: content for name, content in tree(desk.machine.data).items() if "downloads" not in name} == before


def test_a_failed_first_installation_leaves_nothing(desk: Desk, maker: Maker) -> None:
    with pytest.raises(InstallError):
        desk.install(maker.payload("1.0", trial=broken))
    assert tree(desk.machine.home) == {}


@pytest.fixture
def driver(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that the accelerator of the machine's wheels can be tried with."""
    monkeypatch.setattr(accelerator, "check", lambda *_: None)


def test_without_a_driver_nothing_is_downloaded_for_an_accelerator(
    desk: Desk, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accelerator, "_told_by_kernel", desk.machine.home / "none")
    desk.install(maker.payload("1.0", trial=accelerated), "gpu")
    assert "The processor is used: No driver of NVIDIA was found." in desk.heard()
    assert {path.name for path in desk.folder("1.0").parent.iterdir()} == {"1.0"}


@pytest.mark.usefixtures("driver")
def test_an_accelerator_that_proves_itself_is_kept(desk: Desk, maker: Maker) -> None:
    desk.install(maker.payload("1.0", trial=accelerated), "gpu")
    found = installed(desk.machine)
    assert found and (found.version, found.device) == ("1.0", "gpu")
    desk.install(maker.payload("1.0", trial=accelerated))
    assert desk.started() == str(desk.folder("1.0-gpu"))


@pytest.mark.usefixtures("driver")
def test_an_accelerator_that_does_not_leaves_the_processor_and_says_so(desk: Desk, maker: Maker) -> None:
    desk.install(maker.payload("1.0"), "gpu")
    found = installed(desk.machine)
    assert found and (found.version, found.device) == ("1.0", "cpu")
    assert "The processor is used: There is no accelerator here." in desk.heard()


@pytest.mark.parametrize("name", ["with spaces and 'quotes'", "Zoë Müller", "画像の調和", "100% $HOME"])
def test_a_home_of_any_name(name: str, tmp_path: Path, maker: Maker) -> None:
    desk = Desk(linux(tmp_path / name), maker.wheelhouse)
    desk.install(maker.payload("1.0"))
    assert desk.started() == str(desk.folder("1.0"))
    command = desk.machine.home / ".local/bin/harmonize"
    assert subprocess.run([command, "--version"], capture_output=True, text=True).stdout == "harmonize 1.0 --version\n"


def test_what_an_editor_leaves_in_the_environment_does_no_harm(tmp_path: Path, maker: Maker) -> None:
    strange = {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "PIP_TARGET": str(tmp_path / "elsewhere")}
    desk = Desk(linux(tmp_path / "home", VIRTUAL_ENV="/nowhere", **strange), maker.wheelhouse)
    desk.install(maker.payload("1.0"))
    assert desk.started() == str(desk.folder("1.0"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_is_noticed_before_anything_is_made(desk: Desk, maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(environment.room, "cpu", 1 << 60)
    with pytest.raises(InstallError) as refusal:
        desk.install(maker.payload("1.0"))
    assert refusal.value.code == "disk_full"
    assert tree(desk.machine.home) == {}


def test_a_home_whose_data_folder_cannot_be_made_is_refused(desk: Desk, maker: Maker) -> None:
    (desk.machine.home / ".local").write_text("a file where a folder should be")
    with pytest.raises(InstallError) as refusal:
        desk.install(maker.payload("1.0"))
    assert str(desk.machine.home / ".local") in refusal.value.message


def test_a_command_of_somebody_else_stays(desk: Desk, maker: Maker) -> None:
    theirs = desk.machine.home / ".local/bin/harmonize"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("of pipx")
    desk.install(maker.payload("1.0"))
    assert theirs.read_text() == "of pipx"
    assert "The command harmonize is not set up" in desk.heard()


def test_a_dry_run_changes_nothing(desk: Desk, maker: Maker) -> None:
    changes = Changes(desk.machine, dry=True)
    engine.install(desk.machine, maker.payload("1.0"), source=Source(), tell=silent, changes=changes)
    assert changes.told == [f"Write {desk.machine.home / '.local/bin/harmonize'}"]
    assert tree(desk.machine.home) == {}
    desk.install(maker.payload("1.0"))
    before = tree(desk.machine.home)
    engine.remove(desk.machine, silent, Changes(desk.machine, dry=True))
    assert tree(desk.machine.home) == before
