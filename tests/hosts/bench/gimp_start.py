"""Run by GIMP's batch interpreter: the test's script with `bench` on the path. An exception ends GIMP with 64."""

import sys

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
sys.path.insert(0, "/session/bench")
exec(compile(open("/session/bench/script.py").read(), "script.py", "exec"), {"__name__": "__main__"})
