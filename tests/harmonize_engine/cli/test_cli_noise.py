"""Random sizes, masks and damaged bytes through the whole of `harmonize apply`: it works or refuses, it never breaks."""

import contextlib
import io
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harmonize_engine import pictures
from harmonize_engine.cli.main import main
from harmonize_engine.pictures import Picture

sides = st.integers(13, 72)
depths = st.sampled_from([np.uint8, np.uint16, np.float32])
masks = st.sampled_from(["noise", "soft", "rectangle", "row", "pixel", "nothing", "everything"])
seeds = st.integers(0, 2**32 - 1)
options = st.sets(st.sampled_from(["--invert-mask", "--fit-mask", "--allow-border", "--always", "--json"]))


def run(folder: Path, *words: str) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["apply", str(folder / "c.tif"), "--mask", str(folder / "m.tif"), *words])
    return status, err.getvalue()


def picture(rng: np.random.Generator, shape: tuple[int, ...], depth: type) -> np.ndarray:
    peak = 1 if depth is np.float32 else np.iinfo(depth).max
    return (rng.random(shape) * peak).astype(depth)


def mask(kind: str, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    made = np.zeros((height, width), np.uint8)
    match kind:
        case "noise":
            made = rng.integers(0, 256, made.shape, np.uint8)
        case "soft":
            made[:] = np.hypot(*np.meshgrid(np.linspace(-16, 16, width), np.linspace(-16, 16, height))) ** 2
        case "rectangle":
            made[height // 3 : height * 2 // 3 + 1, width // 3 : width * 2 // 3 + 1] = 255
        case "row":
            made[height // 2] = 255
        case "pixel":
            made[height // 2, width // 2] = 255
        case "everything":
            made[:] = 255
    return made


def check(folder: Path, status: int, err: str) -> None:
    assert status in (0, 2), err
    names = sorted(path.name for path in folder.iterdir())
    if status == 2:
        assert err.startswith("harmonize: error [") and err.count("\n") == 1 and "Traceback" not in err
        assert names == ["c.tif", "m.tif"]
    else:
        assert names == ["c.tif", "m.tif", "out.png", "out.tif"]


@settings(deadline=None, max_examples=60)
@given(sides, sides, depths, masks, st.sampled_from([3, 4]), st.sampled_from(["statistics", "parametric"]), options, seeds)
@example(1, 1, np.uint16, "pixel", 3, "parametric", set[str](), 1)
@example(64, 48, np.uint8, "rectangle", 3, "parametric", {"--always"}, 1)
@example(64, 48, np.float32, "soft", 4, "statistics", set[str](), 1)
def test_sizes_and_masks(
    width: int, height: int, depth: type, kind: str, channels: int, model: str, words: set[str], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    pixels, shape = picture(rng, (height, width, channels), depth), mask(kind, rng, height, width)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures.write(Picture(pixels), folder / "c.tif")
        pictures.write(Picture(np.repeat(shape[..., None], 3, axis=-1)), folder / "m.tif")
        outputs = ("-o", str(folder / "out.tif"), str(folder / "out.png"))
        status, err = run(folder, "--model", model, *sorted(words), *outputs)
        check(folder, status, err)
        if status == 0:
            outside = shape == (255 if "--invert-mask" in words else 0)
            made = pictures.read(folder / "out.tif").pixels
            assert made.dtype == depth
            assert (made[outside] == pixels[outside]).all()


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([".png", ".jpg", ".tif", ".webp"]),
    st.sampled_from(["c.tif", "m.tif"]),
    st.sampled_from(["cut", "flip", "splice", "noise"]),
    seeds,
)
def test_damaged_bytes(kind: str, victim: str, damage: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures.write(Picture(picture(rng, (32, 40, 3), np.uint8)), folder / f"c{kind}")
        pictures.write(Picture(np.repeat(mask("rectangle", rng, 32, 40)[..., None], 3, axis=-1)), folder / f"m{kind}")
        for stem in "cm":  # the name says nothing: the bytes tell the format
            (folder / f"{stem}{kind}").rename(folder / f"{stem}.tif")
        whole = (folder / victim).read_bytes()
        (folder / victim).write_bytes(damaged(whole, damage, rng))
        outputs = ("-o", str(folder / "out.tif"), str(folder / "out.png"))
        check(folder, *run(folder, "--model", "statistics", *outputs))


def damaged(whole: bytes, damage: str, rng: np.random.Generator) -> bytes:
    given = bytearray(whole)
    places = rng.integers(0, len(given), 12)
    match damage:
        case "cut":
            return whole[: places[0]]
        case "flip":
            for place in places:
                given[place] ^= 1 << rng.integers(8)
        case "splice":
            del given[min(places[:2]) : max(places[:2])]
        case _:
            given[places[0] :] = rng.bytes(len(given) - int(places[0]))
    return bytes(given)
