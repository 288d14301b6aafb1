"""python3 tasks.py bench: measure what an artist waits for, print a table of medians."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import command, engine, gimp, install, krita, renderer, server

benchmarks: tuple[Callable[[Path], list[tuple[str, str, str]]], ...] = (
    engine.measure,
    renderer.measure,
    command.measure,
    server.measure,
    krita.measure,
    gimp.measure,
    install.measure,
)


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}; medians\n")
    print("| what | measured | target |\n|---|---|---|")
    chosen = [word for word in sys.argv[1:] if not word.startswith("-")]
    with tempfile.TemporaryDirectory() as scratch:
        for measure in benchmarks:
            if not chosen or measure.__module__.split(".")[-1] in chosen:
                for what, measured, target in measure(Path(scratch)):
                    print(f"| {what} | {measured} | {target} |", flush=True)


if __name__ == "__main__":
    main()
