# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be done, in a sentence for the artist."""


class Refusal(Exception):
    """message: what is wrong; hint: what to do; code: stable, for the program; log: the engine's log file, if any."""

    def __init__(self, message, hint="", code="", log=None):
        super().__init__(f"{message} {hint}".strip())
        self.message, self.hint, self.code, self.log = message, hint, code, log
