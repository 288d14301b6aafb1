"""The words of the command line: install, uninstall, repair and doctor, and what each may be told."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from installer.failure import InstallError

summaries = {
    "install": "put the engine and its plug-ins for Krita and GIMP on this computer; run again, it brings them up to date",
    "uninstall": "take everything away again that the installer has put on this computer",
    "repair": "finish an installation that was interrupted, and mend what is broken",
    "doctor": "check that everything Harmonize needs is there and works",
}


class Parser(argparse.ArgumentParser):
    """Complains about its arguments by raising InstallError `usage`."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise InstallError("usage", f"{message[:1].upper()}{message[1:].rstrip('.')}.", f"See: {self.prog} --help")


def parser(program: str = "harmonize-install.pyz") -> Parser:
    """Describe all verbs."""
    main_parser = Parser(prog=program, description="Installs Harmonize for Krita and GIMP. Without a word: install.")
    main_parser.add_argument("--version", action="store_true", help="tell the version and leave")
    verbs = main_parser.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser)
    for verb, summary in summaries.items():
        describe(verb, verbs.add_parser(verb, help=summary, description=summary))
    return main_parser


def describe(verb: str, to: argparse.ArgumentParser) -> None:
    """Add a verb's arguments."""
    to.add_argument("--json", action="store_true", help="print what was found or done as one JSON object")
    if verb == "doctor":
        to.add_argument("--report", type=Path, metavar="FILE", help="write a report without private data, for an issue")
        return
    to.add_argument("--dry-run", action="store_true", help="tell what would be done, and do nothing")
    to.add_argument("--yes", action="store_true", help="do it without asking")
    to.add_argument("--progress", choices=["json"], help="for programs: tell the progress in lines of JSON")
    to.add_argument(
        "--editor",
        action="append",
        metavar="EDITOR",
        help="only this one: krita, gimp, gimp-3.2, krita-flatpak, ...; may be repeated",
    )
    if verb != "uninstall":
        to.add_argument("--no-editors", action="store_true", help="the engine only, no plug-ins")
        to.add_argument("--wheelhouse", type=Path, metavar="FOLDER", help="install from this folder, without a network")
        to.add_argument("--device", choices=["cpu", "gpu"], help="what the engine computes on (cpu)")
    if verb == "repair":
        to.add_argument("--roll-back", action="store_true", help="go back to the version before")
