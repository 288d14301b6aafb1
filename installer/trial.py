"""`python -I -m installer.trial`, in the engine's environment: whether the engine works, by a real request.

It imports what the engine will, starts a server of its own, sends it a small picture as the editors do, and prints one line
of JSON: the device, why it is not an accelerator, and the milliseconds of one inference; or code, message and hint.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile

modules = ("harmonize_engine.cli.main", "harmonize_engine.render", "PIL.Image", "tifffile", "requests", "model_server.app")
server = [sys.executable, "-I", "-X", "utf8", "-m", "model_server"]
side = 128


def main() -> int:
    """Try the engine, and say how it went."""
    try:
        for name in modules:
            importlib.import_module(name)
        from model_server.engine_client import EngineError, Proxy, connect
    except ImportError as error:
        print(json.dumps({"code": "engine_unfit", "message": f"The engine does not start: {error}.", "hint": ""}))
        return 2
    with tempfile.TemporaryDirectory(prefix="harmonize-", ignore_cleanup_errors=True) as folder:
        os.environ["HARMONIZE_RUNTIME_DIR"] = os.environ["HARMONIZE_LOG_DIR"] = folder
        composite = bytes(value for y in range(side) for x in range(side) for value in (2 * x, 2 * y, 255 - 2 * x))
        inside = range(side // 4, 3 * side // 4)
        mask = bytes(255 if x in inside and y in inside else 0 for y in range(side) for x in range(side))
        try:
            engine = connect("server", server, follow=os.getpid())
            adjustments = engine.harmonize(Proxy(side, side, composite, mask)).harmonization["adjustments"]
            device = engine.health()["device"]
        except EngineError as error:
            print(json.dumps({"code": error.code, "message": error.message, "hint": error.hint}))
            return 2
        finally:
            subprocess.run([*server, "--stop"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    told = {"device": device["name"], "reason": device["reason"], "milliseconds": device["milliseconds"]}
    print(json.dumps({**told, "adjustments": len(adjustments)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
