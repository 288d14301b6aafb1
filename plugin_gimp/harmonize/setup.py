# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting up the engine where there is none: whether the plug-in can, and how it is done by hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from engine_client import EngineError, data_folders
from engine_setup import command, find_archive, is_offered


def archive() -> Path | None:
    """The installer that the plug-in carries, or the one that an earlier set-up has kept."""
    return find_archive(Path(__file__).resolve().parent, data_folders(os.environ, sys.platform))


def helps(error: EngineError | None) -> bool:
    """Whether setting up the engine mends an error."""
    return error is not None and is_offered(error.code, error.hint) and archive() is not None


def told_of(error: EngineError) -> str:
    """An error for a script, which has no dialog with a button: what is wrong, and what to type where that mends it."""
    hint = f"Set it up with: {command(archive())}" if helps(error) else error.hint
    log = f"(Log: {error.log})" if error.log else ""
    return " ".join(filter(None, (error.message, hint, log)))
