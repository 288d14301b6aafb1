"""The plug-in's layers in real GIMP look as the engine's renderer says, in every precision and in every view."""

import json
from pathlib import Path

import numpy as np
import pytest
from gimp_session import Session
from xcf_pictures import light_map, tone_curves, wide_profile

from harmonize_engine.curves import Curves
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.render import exact
from harmonize_engine.saturation import Saturation

width, height = 133, 97
part = 90, 70, 30, 20  # width, height and place of the pasted layer
kinds = ("non-linear", "perceptual", "linear")
cases = [f"{depth}-{kind}" for depth in ("u8", "u16", "u32", "half", "float") for kind in kinds]
cases += ["u8-non-linear grey", "u16-linear grey", "float-non-linear grey"]
gammas = {"adobe": 2.19921875, "prophoto": 1.8}
few = [f"{depth}-non-linear {profile}" for depth in ("u8", "u16", "float") for profile in gammas]
few += ["u16-linear adobe", "float-linear prophoto", "u8-linear few"]  # no saturation: GIMP's is sRGB's, wherever
draws = 21, 22, 23  # errors differ from curve to curve; cases that name no draw have another, all the same
often = "u8-non-linear", "u8-linear", "u16-non-linear", "float-linear"
cases += [f"{precision} draw {draw}" for precision in often for draw in draws]
limits = {"u8": (3, 0.3)}  # 8-bit levels: largest and mean error
otherwise = 1, 0.05

script = """
size, part = arguments[1], arguments[2]
answer = {}
for case in arguments[0]:
    precision, _, special = case.partition(" ")
    image = image_of(*size, precision, special == "grey")
    folder = "/session/share/"
    under = layer_of(image, "Background", held(folder + "under"), *size)
    pasted = layer_of(image, "Pasted", held(folder + "pasted"), *part)
    if special == "prophoto":
        image.set_color_profile(Gimp.ColorProfile.new_from_icc_profile(held(folder + "wide.icc")))
    if special == "adobe":
        image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
    pasted.add_mask(pasted.create_mask(Gimp.AddMaskType.WHITE))
    put_mask(pasted.get_mask(), held(folder + "layer-mask"))
    image.select_ellipse(Gimp.ChannelOps.REPLACE, 40, 5, 70, 80)
    put_mask(image.get_selection(), held(folder + "selection"))
    base = folder + case.replace(" ", "-")
    unrounded = image.duplicate()  # as GIMP lays layers upon each other: a projection in 8 bits has lost half a level
    if precision.startswith("u8"):
        unrounded.convert_precision(getattr(Gimp.Precision, "FLOAT" + precision[2:].upper().replace("-", "_")))
    keep(base + ".before", shown(unrounded))
    keep(base + ".alpha", numbers(image.get_selection()))
    artists, selected = pixels_of(image), bytes(numbers(image.get_selection()))
    error = harmonize(image, pasted)
    after = pixels_of(image)
    touched = [found[0] for key, found in artists.items() if after.get(key) != found]
    keep(base + ".projection", shown(image))
    flat = image.duplicate()
    flat.flatten()
    keep(base + ".flattened", shown(flat))
    save(image, base + ".xcf")
    keep(base + ".reloaded", shown(load(base + ".xcf")))
    save(image, base + ".png")
    png = load(base + ".png")
    keep(base + ".exported", shown(png))
    answer[case] = {
        "error": error, "touched": touched, "same selection": bytes(numbers(image.get_selection())) == selected,
        "active": [layer.get_name() for layer in image.get_selected_layers()],
        "layers": [described(layer) for layer in image.get_layers()], "png": png.get_precision().value_nick,
    }
    for each in (image, unrounded, flat, png):
        each.delete()
result(json.dumps(answer))
"""


def waves(of: int) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    rng = np.random.default_rng(of)
    colours = [0.5 + 0.5 * np.sin(rows / (6 + c) + of + 2 * c) * np.cos(columns / (9 + 2 * c)) for c in range(3)]
    return np.clip(np.stack(colours, -1) + rng.normal(0, 0.03, (height, width, 3)), 0, 1)


def disc(rows: int, columns: int, edge: float) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    return np.clip((0.5 - np.hypot(x / columns - 0.5, y / rows - 0.5)) * edge, 0, 1)


@pytest.fixture(scope="module")
def masks() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Alpha and layer mask of the pasted layer, and the selection: all soft, in 255ths, which every depth holds."""
    w, h, _, _ = part
    alpha, mask = disc(h, w, 5), np.tile(np.linspace(1, 0.2, w), (h, 1))
    y, x = np.mgrid[0:height, 0:width]
    selection = np.clip((110 - x) / 12, 0, 1) * np.clip((y - 25) / 5, 0, 1)
    return tuple(np.rint(255 * plane) / 255 for plane in (alpha, mask, selection))


def draw_of(case: str) -> int:
    return int(case.partition("draw ")[2] or 20)


def wanted(case: str) -> Harmonization:
    """What the engine answers, curves from a generator of the case's own."""
    random, light = np.random.default_rng(draw_of(case)), light_map(0.4, 1.9)
    if case in few:
        return Harmonization((tone_curves(random), light), "test", "1")
    return Harmonization((tone_curves(random), Saturation(-0.3), tone_curves(random), light), "test", "1")


@pytest.fixture(scope="module")
def answers(gimp_root, masks):
    alike: dict[tuple[bool, int], list[str]] = {}
    for case in cases + few:
        alike.setdefault((case in few, draw_of(case)), []).append(case)
    with Session(gimp_root, wanted(cases[0])) as session:
        alpha, mask, selection = masks
        w, h, _, _ = part
        put = lambda name, plane: (gimp_root.share / name).write_bytes(plane.astype("<f4").tobytes())  # noqa: E731
        put("under", np.dstack([waves(1), np.ones((height, width))]))
        put("pasted", np.dstack([waves(2)[:h, :w], alpha]))
        put("layer-mask", mask)
        put("selection", selection)
        (gimp_root.share / "wide.icc").write_bytes(wide_profile())
        told = {}
        for some in alike.values():
            session.engine.harmonization = wanted(some[0])
            told |= json.loads(session.run(script, some, [width, height], part))
        yield gimp_root.share, told


def pixels(share: Path, case: str, way: str, told: dict) -> np.ndarray:
    """Display-encoded colours, by the curve of the picture's profile; a .png of a linear picture may hold that already."""
    values = np.fromfile(share / f"{case.replace(' ', '-')}.{way}", "<f4").reshape(height, width, 4)[..., :3]
    precision, _, profile = case.partition(" ")
    precision = told[case]["png"] if way == "exported" else precision
    return linear(values) ** (1 / gammas[profile]) if is_linear(precision) and profile in gammas else values


def is_linear(precision: str) -> bool:
    return precision.endswith("-linear") and not precision.endswith("non-linear")


def expected(before: np.ndarray, case: str, mask: np.ndarray) -> np.ndarray:
    before = np.clip(before, 0, 1)
    if not case.endswith("grey"):
        return exact(before, mask, wanted(case))
    curves, _, more, light = wanted(case).adjustments
    luma = np.array([0.2126, 0.7152, 0.0722])
    value = before[..., 0]
    for each in (curves, more):
        joined = Curves(np.linspace(0, 1, 256), np.tile(luma @ each.table(256), (3, 1)))
        value = joined.apply(value[..., None].repeat(3, -1))[..., 0]
    changed = np.clip(value * light.upsample(height, width), 0, 1)
    return (before[..., 0] * (1 - mask) + mask * changed)[..., None].repeat(3, -1)


def linear(values: np.ndarray) -> np.ndarray:
    values = np.clip(values, 0, 1)
    return np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)


@pytest.mark.parametrize("case", cases + few)
def test_gimp_shows_what_the_renderer_says(answers, masks, case):
    share, told = answers
    assert told[case]["error"] == ""
    w, h, x, y = part
    mask = np.zeros((height, width), np.float32)
    mask[y : y + h, x : x + w] = masks[0] * masks[1]
    mask *= masks[2]
    before = pixels(share, case, "before", told)
    wished = expected(before, case, mask)
    assert np.abs(wished - before).max() > 0.3
    largest, mean = limits.get(case.split("-")[0], otherwise)
    failed = []
    for way in ("projection", "flattened", "exported", "reloaded"):
        found = pixels(share, case, way, told)
        difference = 255 * np.abs(found - wished)
        if case.startswith("u8-linear"):
            # In the levels it stores, where those are coarser than the display's: near black one of them is 12.7 of the
            # display's, so that rounding alone is 6.4 off. Towards white they are finer, 2.2 to one of the display's.
            difference = np.minimum(difference, 255 * np.abs(linear(found) - linear(wished)))
        print(f"{case} {way}: {difference.max():.3f} / {difference.mean():.4f}")
        if difference.max() > largest or difference.mean() > mean:
            failed.append(way)
    assert not failed


@pytest.mark.parametrize("case", cases + few)
def test_nothing_of_the_artists_is_touched(answers, case):
    told = answers[1][case]
    assert told["touched"] == []
    assert told["same selection"]
    assert told["active"] == ["Pasted"]
