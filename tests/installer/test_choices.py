"""What an installation remembers for `repair`."""

import argparse
from pathlib import Path
from types import SimpleNamespace

import pytest

from installer import choices
from installer.failure import InstallError
from installer.machine import Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(choices, "installed", lambda machine: SimpleNamespace(device="cpu"))
    machine = Machine("linux", "x86_64", {}, tmp_path)
    machine.data.mkdir(parents=True)
    return machine


def said(editor: list[str] | None = None, no_editors: bool = False, device: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(editor=editor, no_editors=no_editors, device=device)


def remembered(machine: Machine) -> argparse.Namespace:
    asked = said()
    choices.recall(machine, asked)
    return asked


def install(machine: Machine, chosen: argparse.Namespace) -> argparse.Namespace:
    with choices.kept(machine, chosen):
        pass
    return remembered(machine)


def test_repair_looks_after_the_editors_that_were_named(machine: Machine) -> None:
    assert install(machine, said(editor=["krita"])) == said(editor=["krita"], device="cpu")


def test_the_button_in_an_editor_does_not_make_repair_forget_the_plug_ins(machine: Machine) -> None:
    install(machine, said(editor=["gimp"]))
    assert install(machine, said(no_editors=True)) == said(editor=["gimp"], device="cpu")


def test_an_engine_that_was_set_up_by_the_button_alone_stays_without_plug_ins(machine: Machine) -> None:
    assert install(machine, said(no_editors=True)) == said(no_editors=True, device="cpu")


def test_a_graphics_card_that_did_not_prove_itself_is_not_asked_for_again(machine: Machine) -> None:
    assert install(machine, said(device="gpu")).device == "cpu"


def test_an_installation_that_never_began_leaves_nothing(machine: Machine) -> None:
    with pytest.raises(InstallError), choices.kept(machine, said(editor=["krita"])):
        raise InstallError("no_network", "There is no network.", "Try again.")
    assert list(machine.data.iterdir()) == []
