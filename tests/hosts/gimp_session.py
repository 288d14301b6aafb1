"""A GIMP with the plug-in, which stays for many scripts, and a stand-in for the engine that it finds."""

from __future__ import annotations

import json
import runpy
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from gimp_stand_in import StandIn
from roots import HostFailed, Root

from harmonize_engine.harmonization import Harmonization

here = Path(__file__).parent
build = runpy.run_path(str(here.parents[1] / "plugin_gimp/build.py"))["build"]


def install(root: Root) -> None:
    """Put the plug-in into a root's own home, and the kit where scripts find it."""
    for version in ("3.0", "3.2"):
        build(root.session / "home/.config/GIMP" / version / "plug-ins")
    shutil.copy(here / "gimp_kit.py", root.bench / "kit.py")


class Gimp:
    """One gimp-console that does one script after the other; a script may use everything in gimp_kit.py."""

    def __init__(self, root: Root) -> None:
        install(root)
        self.root, self.share = root, root.share
        self.pool = ThreadPoolExecutor(1)
        self.life: Future[str] | None = None

    def __enter__(self) -> Gimp:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        (self.share / "end").touch()
        self.pool.shutdown()
        (self.share / "end").unlink()

    def run(self, script: str, *arguments: object, timeout: float = 120) -> str:
        """Run a script and return the text it gave to result()."""
        if self.life is None or self.life.done():
            self.life = self.pool.submit(self.root.gimp, here / "gimp_live.py", timeout=1800)
        task = {"script": script, "arguments": arguments}
        (self.share / "partial-task").write_text(json.dumps(task))
        (self.share / "partial-task").rename(self.share / "task")
        answer, late = self.share / "answer", time.monotonic() + timeout
        while not answer.exists():
            if self.life.done():
                (self.share / "task").unlink(missing_ok=True)
                self.life.result()
            if time.monotonic() > late:
                raise HostFailed(f"the script did not end within {timeout} s")
            time.sleep(0.02)
        told = json.loads(answer.read_text())
        answer.unlink()
        if "fault" in told:
            raise HostFailed(told["fault"])
        return told["said"]


class Session(Gimp):
    """A GIMP whose plug-in's questions are answered with a Harmonization."""

    def __init__(self, root: Root, harmonization: Harmonization) -> None:
        super().__init__(root)
        self.engine = StandIn(root.session / "runtime/harmonize", harmonization)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        super().__exit__(kind, error, trace)
        self.engine.close()
