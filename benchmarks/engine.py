"""From a proxy to parameters, and what importing the engine costs."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.timing import seconds
from harmonize_engine import Composite, harmonize


def measure(scratch: Path) -> list[tuple[str, str, str]]:
    random = np.random.default_rng(0)
    mask = np.zeros((384, 512), np.float32)
    mask[100:300, 100:250] = 1
    seen = Composite(random.random((384, 512, 3), dtype=np.float32), mask)
    rows = [
        (
            f"parameters from a 512 px proxy, {model}, warm",
            f"{1000 * seconds(lambda m=model: harmonize(seen, m), 31):.1f} ms",
            target,
        )
        for model, target in (("parametric", "25 ms"), ("statistics", "-"))
    ]
    empty = seconds(lambda: python("pass"))
    loaded = seconds(lambda: python("import harmonize_engine"))
    found = python("import sys, harmonize_engine; print('torch' in sys.modules)").strip()
    return [*rows, ("importing the engine", f"{loaded - empty:.3f} s, torch imported: {found}", "0.3 s, never torch")]


def python(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
