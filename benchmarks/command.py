"""`harmonize apply` as a whole process, on a photograph-sized PNG."""

import subprocess
import sys
from pathlib import Path

from PIL import Image

from benchmarks.timing import seconds

examples = Path(__file__).parents[1] / "examples"


def measure(scratch: Path) -> list[tuple[str, str, str]]:
    composite, mask = scratch / "composite.png", scratch / "mask.png"
    Image.open(examples / "jug-evening.jpg").convert("RGB").save(composite)
    Image.open(examples / "jug-evening-mask.png").save(mask)
    rows: list[tuple[str, str, str]] = []
    for kind, target in (("png", "1.5 s"), ("jpg", "-"), ("kra", "-"), ("xcf", "-")):
        result = scratch / f"result.{kind}"
        options = ["apply", composite, "--mask", mask, "--always", "-o", result]
        took = seconds(lambda o=options: harmonize(*o), 5)
        rows.append((f"harmonize apply, 1920x1080 PNG to .{kind}, whole process", f"{took:.2f} s", target))
    return rows


def harmonize(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "harmonize_engine.cli.main", *arguments], check=True, capture_output=True)
