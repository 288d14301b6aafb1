"""The three standard streams of a server, which may be closed, a terminal, or a pipe that its reader leaves."""

import io
import os
import sys
from contextlib import suppress


def fill() -> None:
    """Put the null device wherever a standard stream is missing, as under pythonw or after a careless start.

    Otherwise the next file or socket would get the stream's number, and a library that complains there would write into it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def silence() -> None:
    """Let go of the streams, for good: whoever started us may wait for their end, and may not be there any more."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    for stream in (sys.stdout, sys.stderr):  # which may have descriptors of their own by now
        with suppress(OSError, io.UnsupportedOperation):
            os.dup2(nowhere, stream.fileno(), inheritable=False)
    os.close(nowhere)
