"""The command line as a process of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from harmonize_engine import pictures
from tests.harmonize_engine.cli.conftest import Desk, scene

command = [sys.executable, "-m", "harmonize_engine.cli.main"]


def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *map(str, words)], capture_output=True, text=True, timeout=120, **options)


def test_a_picture(desk: Desk) -> None:
    ran = run("apply", desk / "composite.png", "--mask", desk / "mask.png", "--always", "-o", desk / "out.png")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert desk.pixels("out.png").shape == (48, 64, 3)


def test_an_error(desk: Desk) -> None:
    before = desk.listing()
    ran = run("apply", desk / "none.png", "--mask", desk / "mask.png", "-o", desk / "out.png")
    assert ran.returncode == 2
    assert ran.stderr.startswith("harmonize: error [file_missing]: ") and ran.stderr.count("\n") == 1
    assert desk.listing() == before


def test_remarks_of_libraries_are_kept_back(desk: Desk) -> None:
    Image.fromarray(scene()[0]).save(desk / "broken.tif", compression="tiff_adobe_deflate")
    with Image.open(desk / "broken.tif") as image:
        (offset,), (length,) = image.tag_v2[273], image.tag_v2[279]
    content = bytearray((desk / "broken.tif").read_bytes())
    content[offset + length - 1] ^= 1  # the check sum: libtiff itself would print "ZIPDecode: ... incorrect data check"
    (desk / "broken.tif").write_bytes(content)
    ran = run("apply", desk / "broken.tif", "--mask", desk / "mask.png", "-o", desk / "out.png")
    assert ran.returncode == 2
    assert ran.stderr.startswith("harmonize: error [file_broken]: ") and ran.stderr.count("\n") == 1


def test_a_reader_that_has_seen_enough() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run([*command, "models"], stdout=writer, stderr=subprocess.PIPE, timeout=120)
    os.close(writer)
    assert (process.returncode, process.stderr) == (0, b"")


def test_no_torch_and_nothing_needless_is_imported(desk: Desk) -> None:
    names = ("composite.png", "--mask", "mask.png", "-o", "out.png", "--model", "statistics")
    words = ["apply", *(str(desk / name) if name.endswith(".png") else name for name in names)]
    listed = (
        "import sys; from harmonize_engine.cli.main import main; "
        f"status = main({words!r}); "
        "heavy = {'torch', 'onnxruntime', 'tifffile', 'tqdm', 'scipy', 'skimage', 'PIL.ImageFont'} & set(sys.modules); "
        "sys.exit(f'{status} {heavy}' if status or heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_ctrl_c_in_the_middle_of_a_folder(desk: Desk) -> None:
    for name in ("pictures", "masks"):
        (desk / name).mkdir()
    composite, mask = scene(height=480, width=640)
    files = {"pictures": desk.write("large.png", composite), "masks": desk.write("large mask.png", mask)}
    for number in range(60):
        for name, file in files.items():
            shutil.copy(file, desk / name / f"{number}.png")
    words = ("apply", desk / "pictures", "--mask", desk / "masks", "--model", "statistics", "-o", desk / "results")
    process = subprocess.Popen(
        [*command, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list((desk.folder / "results").glob("*.png")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told == "harmonize: error [stopped]: Stopped; no file was left half-written.\n"
    made = whole_pictures(desk / "results")
    assert 0 < len(made) < 60
    assert all(pixels.shape == (480, 640, 3) for pixels in made)
    assert leftovers(desk / "results") == []


def whole_pictures(folder: Path) -> list[np.ndarray]:
    return [pictures.read(path).pixels for path in folder.glob("*.png")]


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.suffix != ".png" and path.name != ".harmonize-journal"]
