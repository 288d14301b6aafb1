"""Installers killed at random moments, as by a power cut: `repair` always ends in a working state.

HARMONIZE_KILLS: how many, for a longer run; `python3 tasks.py bench install --killed` does it with the real engine.
"""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from installer import editors, engine, plugins
from installer.changes import Changes
from installer.machine import Machine
from installer.payload import Payload
from tests.installer.made_up import Maker, linux, tree
from tests.installer.programs_made_up import program

repository = Path(__file__).resolve().parents[2]
kills = int(os.environ.get("HARMONIZE_KILLS", "10"))

if sys.platform == "linux":

    @dataclass
    class Desk:
        """A home with the settings of both editors, and installers of two versions."""

        home: Path
        wheelhouse: Path
        programs: dict[str, Path]
        payloads: dict[str, Payload]

        @property
        def machine(self) -> Machine:
            return linux(self.home)

        def start(self, version: str, verb: str) -> subprocess.Popen[bytes]:
            words = [sys.executable, self.programs[version], verb, "--yes"]
            words += [] if verb == "uninstall" else ["--wheelhouse", self.wheelhouse]
            environment = dict(self.machine.environment)
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            return subprocess.Popen(words, env=environment, start_new_session=True, **pipes)

        def run(self, version: str, verb: str) -> float:
            """Run it to its end, which must be a good one; returns the seconds it took."""
            begun = time.monotonic()
            child = self.start(version, verb)
            said, _ = child.communicate()
            assert child.returncode == 0, said.decode()
            return time.monotonic() - begun

        def killed(self, version: str, verb: str, seconds: float, with_children: bool) -> None:
            """Run it and kill it after a time, alone or with all that it has started."""
            child = self.start(version, verb)
            time.sleep(seconds)
            (os.killpg if with_children else os.kill)(child.pid, signal.SIGKILL)
            child.communicate()

        def theirs(self) -> dict[str, bytes | None]:
            """The home, without the notes of the small engine."""
            return {name: content for name, content in tree(self.home).items() if name != "stopped"}

        def check(self, version: str) -> None:
            """See that the engine starts and the plug-ins are as the editors want them."""
            installed = engine.installed(self.machine)
            assert installed is not None and installed.healthy and installed.version == version
            payload = self.payloads[version]
            ours = editors.find(self.machine)
            assert {editor.kind for editor in ours} == {"krita", "gimp"}
            rows = [row for editor in ours for row in plugins.inspect(editor, payload)]
            assert all(row.ok for row in rows), rows
            assert not Changes(self.machine).spoilt()
            assert not list((self.machine.data / "versions").glob("*.partial"))

    @pytest.fixture
    def desk(tmp_path: Path, maker: Maker) -> Desk:
        home = tmp_path / "home"
        for path in (".config/kritarc", ".config/GIMP/3.0/gimprc", ".config/GIMP/3.0/plug-ins/other/other.py"):
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text("# theirs\n")
        programs: dict[str, Path] = {}
        payloads: dict[str, Payload] = {}
        for version in ("0.1.0", "0.2.0"):
            payloads[version] = maker.payload(version)
            folder = payloads[version].folder
            for kind in ("krita", "gimp"):
                build = [sys.executable, repository / f"plugin_{kind}/build.py", folder / kind]
                subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
                for client in (folder / kind).rglob("engine_client.py"):
                    told = client.read_text(encoding="utf-8").replace(
                        'wanted_version = "0.1.0"', f'wanted_version = "{version}"'
                    )
                    client.write_text(told, encoding="utf-8")
            programs[version] = program(tmp_path / f"harmonize {version}.pyz", payloads[version])
        return Desk(home, maker.wheelhouse, programs, payloads)

    def test_repair_ends_in_a_working_state(desk: Desk):
        random_numbers = random.Random(7)
        before = desk.theirs()
        lasts = {"install": desk.run("0.1.0", "install"), "uninstall": desk.run("0.1.0", "uninstall")}
        assert desk.theirs() == before
        now = ""
        for number in range(kills):
            wanted = "0.2.0" if now == "0.1.0" else "0.1.0"
            verb = "uninstall" if now and random_numbers.random() < 0.3 else "install"
            if now and random_numbers.random() < 0.3:
                desk.run(now, "uninstall")
                verb = "install"
            moment = lasts[verb] * (number + random_numbers.random()) / kills
            desk.killed(wanted, verb, moment, with_children=random_numbers.random() < 0.5)
            desk.run(wanted, "repair")
            desk.check(wanted)
            now = wanted
        desk.run(now, "uninstall")
        assert desk.theirs() == before
