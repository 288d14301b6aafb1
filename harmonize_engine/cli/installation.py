"""install, uninstall and repair: handed over to the installer, which must not run from the engine that it replaces."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from harmonize_engine.errors import HarmonizeError
from installer import arguments
from installer.machine import Machine, clean_environment


class Handover:
    """A verb of the installer among those of the command line."""

    def __init__(self, verb: str) -> None:
        self.verb, self.summary = verb, arguments.summaries[verb]

    def describe(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments."""
        arguments.describe(self.verb, parser)

    def run(self, chosen: argparse.Namespace) -> None:
        """Do it. Raises SystemExit with the installer's status; it has told what was wrong."""
        raise SystemExit(hand_over(chosen.words))


def hand_over(words: Sequence[str]) -> int:
    """Run the installer that is kept on this machine, by the Python from which the engine's own environment was made.

    Where none is kept, as in a clone, it runs here. Raises HarmonizeError `not_started`.
    """
    machine = Machine.this()
    archive = machine.data / "harmonize-install.pyz"
    if not archive.is_file():
        from installer import commands  # here, so that no other verb waits for it

        return commands.main(words, "harmonize")
    python = getattr(sys, "_base_executable", None) or sys.executable
    command, environment = [python, "-I", "-X", "utf8", str(archive), *words], clean_environment(machine)
    try:
        if os.name != "posix":
            return subprocess.run(command, env=environment, check=False).returncode
        sys.stdout.flush()
        os.execve(python, command, environment)  # this process goes, and with it what holds the environment's files
    except OSError as error:
        message = f"{python} could not be started: {error.strerror or error}."
        raise HarmonizeError("not_started", message, f"Run: python {archive} {' '.join(words)}") from error


install, uninstall, repair = (Handover(verb) for verb in ("install", "uninstall", "repair"))
