# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist is told when there is nothing to do."""


class Refusal(Exception):
    """Nothing was done; the message says why and what would help, in one or two plain sentences."""
