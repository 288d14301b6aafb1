"""Run by GIMP's batch interpreter: the test's script with `bench` on the path.

An exception ends GIMP with status 64.
"""

import sys
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
sys.path.insert(0, "/session/bench")
exec(compile(Path("/session/bench/script.py").read_text(), "script.py", "exec"), {"__name__": "__main__"})
