import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from harmonize_engine import network, pictures
from harmonize_engine.cli.main import main
from harmonize_engine.pictures import Picture


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Desk:
    """A folder with a small composite: composite.png, mask.png, background.png, cutout.png."""

    folder: Path
    capture: Callable[[], tuple[str, str]]

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def harmonize(self, *words: object) -> Ran:
        self.capture()
        status = main([str(word) for word in words])
        return Ran(status, *self.capture())

    def apply(self, *words: object) -> Ran:
        return self.harmonize("apply", self / "composite.png", "--mask", self / "mask.png", "--model", "statistics", *words)

    def refused(self, code: str, *words: object) -> str:
        """Run a command that must be refused with this code, leaving nothing behind; gives the one line of the error."""
        before = self.listing()
        ran = self.harmonize(*words)
        assert ran.status == 2, ran
        assert ran.err.startswith(f"harmonize: error [{code}]: "), ran.err
        assert ran.err.count("\n") == 1 and "Traceback" not in ran.err
        assert self.listing() == before
        return ran.err

    def apply_refused(self, code: str, *words: object) -> str:
        files = (self / "composite.png", "--mask", self / "mask.png", "--model", "statistics", "-o", self / "out.png")
        return self.refused(code, "apply", *files, *words)

    def listing(self) -> dict[Path, bytes | None]:
        """Every file, hidden ones too, with its content."""
        return {path: path.read_bytes() if path.is_file() else None for path in self.folder.rglob("*")}

    def write(self, name: str, pixels: np.ndarray, **belongings: object) -> Path:
        pixels = np.repeat(pixels[..., None], 3, axis=-1) if pixels.ndim == 2 else pixels
        pictures.write(Picture(pixels, **belongings), self / name)
        return self / name

    def pixels(self, name: str) -> np.ndarray:
        return pictures.read(self / name).pixels


def scene(depth: type = np.uint8, height: int = 48, width: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """A cool background with a warm square in it, (H, W, 3), and the square's mask (H, W)."""
    rng = np.random.default_rng(7)
    values = rng.uniform(0.2, 0.5, (height, width, 3)) * [0.6, 0.9, 1.2]
    rows, columns = slice(height // 4, height * 3 // 4), slice(width // 4, width * 3 // 4)
    values[rows, columns] = rng.uniform(0.5, 0.9, values[rows, columns].shape) * [1.0, 0.8, 0.5]
    mask = np.zeros((height, width))
    mask[rows, columns] = 1
    peak = 1 if depth is np.float32 else np.iinfo(depth).max
    return (values * peak).astype(depth), (mask * peak).astype(depth)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    def capture() -> tuple[str, str]:
        return tuple(capsys.readouterr())

    made = Desk(tmp_path, capture)
    composite, mask = scene()
    made.write("composite.png", composite)
    made.write("mask.png", mask)
    made.write("background.png", np.roll(composite, 20, axis=0))
    made.write("cutout.png", np.dstack([composite, mask])[8:40, 12:52])
    return made


@pytest.fixture
def weights(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the weights that takes the place of those in the package."""
    folder = tmp_path_factory.mktemp("weights")
    shutil.copytree(network.folder, folder, dirs_exist_ok=True)
    monkeypatch.setattr(network, "folder", folder)
    network.loaded.cache_clear()
    yield folder
    network.loaded.cache_clear()
