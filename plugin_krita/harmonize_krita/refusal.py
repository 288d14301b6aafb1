# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be done, in a sentence for the artist."""

import traceback

from .qt import i18n


class Refusal(Exception):
    """message: what is wrong; hint: what to do; code: stable, for the program; log: the engine's log file, if any."""

    def __init__(self, message, hint="", code="", log=None):
        super().__init__(f"{message} {hint}".strip())
        self.message, self.hint, self.code, self.log = message, hint, code, log


def unexpected(error):
    """A mistake of ours as a sentence; the traceback goes where Krita's messages go."""
    traceback.print_exception(type(error), error, error.__traceback__)
    text = i18n("Something went wrong ({0}: {1}).").format(type(error).__name__, error)
    return Refusal(text, i18n("Your layers are as they were."), "internal")
