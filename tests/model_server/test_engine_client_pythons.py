"""The client of the plug-ins in every Python there is."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from model_server import engine_client
from model_server.engine_client import InProcessEngine, Proxy
from tests.model_server.atelier import Atelier, opened
from tests.model_server.processes import limit
from tests.model_server.proxies import scene


@pytest.fixture
def atelier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Atelier]:
    with opened(tmp_path, monkeypatch) as atelier:
        yield atelier


carrier = """
import json, os, sys
from carrying import plugin_engine_client as client
width, height = map(int, sys.argv[1:3])
content = sys.stdin.buffer.read()
proxy = client.Proxy(width, height, content[: 3 * width * height], content[3 * width * height :])
engine = client.connect("server", sys.argv[3:], follow=os.getpid())
answer = engine.harmonize(proxy, points_for="krita", progress=lambda stage, fraction: None)
try:
    engine.harmonize(proxy, model="no-such-model")
except client.EngineError as error:
    code = error.code
print(json.dumps([answer.harmonization, answer.points, code]))
"""


def interpreters() -> list[str]:
    """This Python, and every other one on the path that runs and that a plug-in may meet; by their real paths."""
    version = "import sys; print(sys.version_info >= (3, 10) and sys.executable)"
    found = {sys.executable}
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).glob("python3*"):
            if re.fullmatch(r"python3(\.\d+)?(\.exe)?", program.name):
                told = subprocess.run([program, "-I", "-c", version], capture_output=True, text=True)  # a shim may refuse
                found |= {told.stdout.strip()} - {"", "False"}
    return sorted({os.path.realpath(path): path for path in sorted(found)}.values())


@pytest.mark.parametrize("python", interpreters())
def test_a_copy_under_another_name_works_in_every_python(python: str, tmp_path: Path, atelier: Atelier):
    """With its standard library alone, as in the hosts: -S leaves site-packages out."""
    package = tmp_path / "plug-in" / "carrying"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copy(engine_client.__file__, package / "plugin_engine_client.py")
    script = f"import sys; sys.path.insert(0, {str(package.parent)!r})\n{carrier}"
    image, mask = scene(5)
    height, width = mask.shape
    words = [python, "-I", "-S", "-W", "error", "-c", script, str(width), str(height), *atelier.command]
    content = image.tobytes() + mask.tobytes()
    ran = subprocess.run(words, input=content, capture_output=True, timeout=limit, check=False)
    assert ran.stderr == b""
    here = InProcessEngine().harmonize(Proxy(width, height, image.tobytes(), mask.tobytes()), points_for="krita")
    assert json.loads(ran.stdout) == [here.harmonization, here.points, "model_unknown"]
