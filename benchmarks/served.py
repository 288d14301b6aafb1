"""A server for the editors in the roots of tests/hosts: it runs outside, and they see its state."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path


@contextlib.contextmanager
def served(runtime: Path, logs: Path) -> Generator[None]:
    """Run the engine's server with its state in the folder `runtime`, which is made."""
    runtime.mkdir(mode=0o700)
    folders = {"HARMONIZE_RUNTIME_DIR": str(runtime), "HARMONIZE_LOG_DIR": str(logs)}
    command = [sys.executable, "-m", "model_server", "--announce"]
    repository = Path(__file__).resolve().parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | folders, cwd=repository) as server:
        try:
            assert server.stdout is not None
            assert json.loads(server.stdout.readline())["ready"]
            yield
        finally:
            server.kill()
