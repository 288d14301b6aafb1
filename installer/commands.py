"""install, uninstall, repair and doctor: what is to be done is told, agreed on, done, and told again."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from installer import arguments as words
from installer import choices, doctor, editors, engine, plugins
from installer.changes import Changes
from installer.editors import Editor
from installer.failure import InstallError
from installer.lock import only_one
from installer.machine import Machine
from installer.payload import Payload
from installer.rows import Tell
from installer.voice import Voice

own_things = ("choices.json", "install.log")  # of this file, in DATA
where = {
    "krita": "In Krita: Settings > Dockers > Harmonize.",
    "gimp": "In GIMP: Filters > Light and Shadow > Harmonize...",
}


def main(argv: Sequence[str] | None = None, program: str = "harmonize-install.pyz") -> int:
    """Do what the command line says; returns the exit status.

    0 = done; 2 = an error that the user can mend, told in one line; 1 = a defect, told in one line that names a log file;
    130 = stopped. Without any word, as after a double click, it installs and leaves the window open at the end.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    voice, machine = Voice(), Machine.this()
    try:
        status = _obeyed(given or ["install"], machine, voice, program)
    except BaseException as error:
        if isinstance(error, SystemExit):  # --help
            return int(error.code or 0)
        status = _failed(error, machine, voice)
    if not given and sys.platform == "win32" and sys.stdin is not None and sys.stdin.isatty():
        with suppress(EOFError):
            input("Press Enter to close this window.")
    return status


def _obeyed(given: list[str], machine: Machine, voice: Voice, program: str) -> int:
    _make_printable()
    bare = given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")
    chosen = words.parser(program).parse_args(["install", *given] if bare else given)
    if chosen.version:
        print(f"harmonize {Payload.mine().version}")
        return 0
    if chosen.verb is None:
        raise InstallError("usage", "A verb is missing.", f"See: {program} --help")
    voice.manner = "document" if chosen.json else "progress" if getattr(chosen, "progress", None) else "sentences"
    if chosen.verb == "doctor":
        doctor.examine(machine, doctor.payload(machine), chosen)
        return 0
    with _stoppable():
        return verbs[chosen.verb](machine, chosen, voice)


def install(machine: Machine, chosen: argparse.Namespace, voice: Voice) -> int:
    """Put the engine and the plug-ins there."""
    return _install(machine, Payload.mine(), chosen, voice)


def _install(machine: Machine, payload: Payload, chosen: argparse.Namespace, voice: Voice) -> int:
    ours = [] if chosen.no_editors else _editors(machine, chosen.editor)
    source, device = engine.Source(_wheelhouse(chosen)), chosen.device

    def do(tell: Tell, changes: Changes) -> list[str]:
        with choices.kept(machine, chosen, changes.dry):
            engine.install(machine, payload, source=source, device=device, tell=tell, changes=changes)
        return _place(ours, payload, changes)

    if not _done(machine, chosen, voice, do):
        return 0
    kinds = dict.fromkeys(editor.kind for editor in ours if not editor.blocked)
    ways = [where[kind] for kind in kinds]
    if not ours and not chosen.no_editors:
        ways = ["Krita and GIMP were not found: run this again when one of them is there."]
    voice.finish(" ".join([f"Harmonize {payload.version} is installed.", *ways]).strip(), version=payload.version)
    return 0


def repair(machine: Machine, chosen: argparse.Namespace, voice: Voice) -> int:
    """Finish what was interrupted, and mend what is broken, with the choices of the installation."""
    if chosen.roll_back:
        version = engine.roll_back(machine, voice.tell)
        voice.finish(f"Harmonize {version} is in use again.", version=version)
        return 0
    choices.recall(machine, chosen)
    return _install(machine, Payload.mine(), chosen, voice)


def uninstall(machine: Machine, chosen: argparse.Namespace, voice: Voice) -> int:
    """Take everything away, or one editor's plug-in only."""
    if not (chosen.yes or chosen.dry_run or voice.can_ask):
        raise InstallError("usage", "Nobody can be asked whether to remove Harmonize.", "To do it without asking: --yes")
    ours = _editors(machine, chosen.editor)

    def do(tell: Tell, changes: Changes) -> list[str]:
        notes = [note for editor in ours for note in plugins.remove(editor, changes)]
        if chosen.editor is None:
            notes += plugins.set_aside(changes)
            engine.remove(machine, tell, changes)
            if not changes.dry:
                for name in own_things:
                    (machine.data / name).unlink(missing_ok=True)
            changes.remove_all()
        return notes

    if not _done(machine, chosen, voice, do):
        return 0
    voice.finish("Harmonize is removed." if chosen.editor is None else "Its plug-in is removed.")
    return 0


verbs: dict[str, Callable[[Machine, argparse.Namespace, Voice], int]] = {
    "install": install,
    "repair": repair,
    "uninstall": uninstall,
}


def _done(machine: Machine, chosen: argparse.Namespace, voice: Voice, do: Callable[[Tell, Changes], list[str]]) -> bool:
    """Do it, unless it is not wanted once it is told; gives whether it was done."""
    if not _agreed(machine, chosen, voice, do):
        return False
    with only_one(machine):
        notes = do(voice.tell, Changes(machine, voice.tell))
    for note in notes:
        voice.tell(note)
    return True


def _agreed(machine: Machine, chosen: argparse.Namespace, voice: Voice, do: Callable[[Tell, Changes], list[str]]) -> bool:
    """Tell what would be done, and whether to do it."""
    if chosen.yes and not chosen.dry_run:
        return True
    if not (chosen.dry_run or voice.can_ask):
        return True
    voice.tell("This will be done:" if chosen.dry_run else "This is going to be done:")
    told: list[str] = []
    changes = Changes(machine, lambda sentence, share: told.append(sentence), dry=True)
    notes = do(lambda sentence, share: told.append(sentence), changes)
    for sentence in (*told, *notes):
        voice.tell(f"  {sentence}")
    if not told:
        voice.tell("  nothing")
    if chosen.dry_run:
        voice.finish("Nothing was changed.")
        return False
    return voice.ask("Go on?")


def _place(ours: list[Editor], payload: Payload, changes: Changes) -> list[str]:
    """Put the plug-in into every editor; what keeps it out of one does not keep it out of the next."""
    notes: list[str] = []
    failed: InstallError | None = None
    for editor in ours:
        try:
            notes += plugins.place(editor, payload, changes)
        except InstallError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return list(dict.fromkeys(notes))


def _editors(machine: Machine, chosen: Sequence[str] | None) -> list[Editor]:
    """Find the editors, those that were chosen only. Raises InstallError `editor_unknown`."""
    found = doctor.one_for_each_folder(editors.find(machine))
    for word in chosen or ():
        if not any(editor.answers_to(word) for editor in found):
            there = ", ".join(editor.name for editor in found) or "none"
            raise InstallError("editor_unknown", f"No editor here answers to {word}.", f"Found: {there}.")
    return [editor for editor in found if chosen is None or any(editor.answers_to(word) for word in chosen)]


def _wheelhouse(chosen: argparse.Namespace) -> Path | None:
    folder: Path | None = chosen.wheelhouse
    if folder is not None and not folder.is_dir():
        raise InstallError("wheelhouse_missing", f"There is no folder {folder}.", "Name the folder that holds the wheels.")
    return None if folder is None else folder.absolute()


def _make_printable() -> None:
    """Let no file name fail to print: it may hold what the terminal cannot show."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # pyright: ignore


@contextmanager
def _stoppable() -> Generator[None, None, None]:
    """Let a request to end, as the plug-ins' Cancel sends it, stop cleanly, as Ctrl-C does."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _failed(error: BaseException, machine: Machine, voice: Voice) -> int:
    """Tell in one line what went wrong; returns the exit status."""
    if isinstance(error, InstallError):
        voice.fail(error)
        return 2
    if isinstance(error, KeyboardInterrupt):
        voice.fail(InstallError("stopped", "Stopped.", "Run it again to go on where it was."))
        return 130
    if isinstance(error, BrokenPipeError):  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, MemoryError):
        voice.fail(InstallError("out_of_memory", "The memory does not suffice.", "Close other programs, then try again."))
        return 2
    log = _log(machine)
    hint = f"Please report it with the log file {log}" if log else "Please report it."
    voice.fail(InstallError("internal", "Something went wrong inside the installer.", hint), log)
    return 1


def _log(machine: Machine) -> str | None:
    """Keep the traceback of the exception being handled in a file; returns its path."""
    import tempfile

    text = f"Python {sys.version} on {machine.platform}\n{traceback.format_exc()}\n"
    for folder in (machine.data, Path(tempfile.gettempdir())):
        path = folder / "install.log" if folder == machine.data else folder / f"harmonize-install-{os.getpid()}.log"
        with suppress(OSError), open(path, "a", encoding="utf-8", opener=_closed) as log:
            log.write(text)
            return str(path)
    return None


def _closed(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
