"""Run by kritarunner: the test's script.

kritarunner itself exits 0 after an exception, so the status is set here.
"""

import os
import sys
import traceback
from pathlib import Path

from krita import Krita


def main(_: object) -> None:
    status = 0
    Krita.instance().setBatchmode(True)  # else an error opens a dialog that nobody can close
    try:
        script = Path("/session/bench/script.py").read_text()
        exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
