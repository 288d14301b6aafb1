"""An installer that dies between any two of its steps leaves an engine that can be started, and the next run ends well."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from installer import engine, environment
from installer.changes import Changes
from installer.engine import Source
from installer.lock import only_one
from installer.machine import Machine
from installer.payload import Payload
from installer.rows import silent
from installer.writing import remove_tree
from tests.installer.made_up import Maker, linux, tree


class Killed(BaseException):
    """The power is gone."""


@pytest.fixture(autouse=True)
def quick_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments of one file each, made in no time."""

    def make(machine: Machine, payload: Payload, folder: Path, *_: Any) -> None:
        remove_tree(folder)
        folder.mkdir(parents=True)
        (folder / "engine").write_text(payload.version)
        lock = payload.lock(machine, gpu=False)
        made = environment.Made(payload.version, "cpu", environment.contents(payload, lock), 1.0)
        (folder / environment.card).write_text(json.dumps(vars(made)))

    def tried(machine: Machine, folder: Path) -> dict[str, Any]:
        return {"engine": (folder / "engine").read_text()}

    monkeypatch.setattr(environment, "make", make)
    monkeypatch.setattr(environment, "tried", tried)


def install(machine: Machine, payload: Payload) -> None:
    with only_one(machine):
        engine.install(machine, payload, source=Source(), tell=silent, changes=Changes(machine))


def in_use(machine: Machine) -> str:
    """The version that a plug-in would start now."""
    command = json.loads((machine.data / "engine.json").read_text())["command"]
    return (Path(command[0]).parent.parent / "engine").read_text()


def killing(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the process die before its step-th change of a name on the disk."""
    count = iter(range(1000))

    def dying(action: Callable[..., Any]) -> Callable[..., Any]:
        def act(*arguments: Any, **options: Any) -> Any:
            if next(count) >= step:
                raise Killed
            return action(*arguments, **options)

        return act

    for name in ("replace", "unlink", "rmdir", "mkdir"):
        monkeypatch.setattr(os, name, dying(getattr(os, name)))


def steps(monkeypatch: pytest.MonkeyPatch, action: Callable[[], None]) -> Iterator[int]:
    """Do it until it has not been killed any more; the number of steps it was let live, each time."""
    for step in range(1000):
        with monkeypatch.context() as context:
            killing(context, step)
            try:
                action()
                return
            except Killed:
                pass
        yield step


def test_killed_at_any_step_of_an_upgrade(tmp_path: Path, maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = maker.payload("1.0"), maker.payload("1.1")
    machine = linux(tmp_path / "home")
    install(machine, old)
    seen = set[str]()

    def upgrade() -> None:
        install(machine, new)

    for _ in steps(monkeypatch, upgrade):
        seen.add(in_use(machine))
        install(machine, new)
        assert in_use(machine) == "1.1"
        install(machine, old)
        assert in_use(machine) == "1.0"
    assert in_use(machine) == "1.1"
    assert seen == {"1.0", "1.1"}


def test_killed_at_any_step_of_the_first_installation(
    tmp_path: Path, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = maker.payload("1.0")
    machines = [linux(tmp_path / "home 0")]
    for step in steps(monkeypatch, lambda: install(machines[-1], payload)):
        install(machines[-1], payload)
        assert in_use(machines[-1]) == "1.0"
        assert [path.name for path in (machines[-1].data / "versions").iterdir()] == ["1.0"]
        machines.append(linux(tmp_path / f"home {step + 1}"))
    assert len(machines) > 10


def test_killed_at_any_step_of_a_removal(tmp_path: Path, maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    payload, machine = maker.payload("1.0"), linux(tmp_path / "home")
    (machine.home / "theirs").write_text("theirs")

    def remove() -> None:
        with only_one(machine):
            changes = Changes(machine)
            engine.remove(machine, silent, changes)
            changes.remove_all()

    install(machine, payload)
    for _ in steps(monkeypatch, remove):
        remove()
        assert set(tree(machine.home)) - {".local", ".local/share"} == {"theirs"}
        install(machine, payload)
    assert set(tree(machine.home)) - {".local", ".local/share"} == {"theirs"}
