import json
import shutil
import sys

import numpy as np
import pytest

from harmonize_engine import proxy
from harmonize_engine.caution import Caution
from harmonize_engine.evaluation import caution
from harmonize_engine.evaluation.caution import Outlook, Step, choose, outlook
from harmonize_engine.network import Network, folder


def walked(count=600, noise=4.0, seed=1):
    """Steps of a model that makes three quarters of what is wanted, and errs by as much whatever that is."""
    random = np.random.default_rng(seed)
    found = []
    for n in range(count):
        magnitude = (0.0, 0.3, 1.0)[n % 3]
        wanted = 30 * magnitude * np.sign(random.normal())
        made = 0.75 * wanted + noise * random.normal()
        family = "untouched" if magnitude == 0 else "light" if n % 9 == 1 else "retouch"
        found.append(Step(family, magnitude, wanted**2, made**2, made * wanted, abs(made)))
    return found


def test_boldness_makes_up_for_timidity():
    timid, bold = (outlook(walked(), Caution(boldness)) for boldness in (1.0, 1.3))
    assert bold.full < timid.full


def test_a_reserve_keeps_from_harm_what_needs_no_change():
    eager, reserved = (outlook(walked(), Caution(1.3, reserve)) for reserve in (0.0, 6.0))
    assert reserved.moved < 0.5 * eager.moved and reserved.worse < eager.worse
    assert reserved.full < 0.05


def test_what_a_correction_leaves_is_what_was_wanted_less_what_was_made():
    half = [Step("retouch", 1.0, 400.0, 100.0, 200.0, 10.0)]
    assert outlook(half, Caution(1.0, 0.0)).full == pytest.approx(0.25)
    assert outlook(half, Caution(2.0, 0.0)).full == pytest.approx(0.0)
    assert outlook(half, Caution(1.0, 10.0)).full == 1.0  # as large as the reserve: not made


def test_families_are_told_apart():
    """Nothing is made but of film, and there a quarter is left: (1 - 1/2)^2."""
    made = {"retouch": 0.0, "light": 0.0, "film": 0.5}
    found = [Step(family, 0.3, 100.0, 100 * share**2, 100 * share, 10 * share) for family, share in made.items()]
    told = outlook(found, Caution())
    assert (told.mild, told.light_mild, told.held_out_mild) == (1.0, 1.0, pytest.approx(0.25))


def test_the_one_that_misses_its_bars_by_least_is_chosen():
    timid, even, harmful = (
        Outlook(Caution(boldness), full, 0.9, 0.6, held_out_mild, 2.0, worse, moved)
        for boldness, full, held_out_mild, worse, moved in (
            (0.7, 0.54, 0.80, 0.05, 0.5),  # 1.2 times the bar of full changes
            (1.2, 0.45, 0.95, 0.15, 1.575),  # 1.05 times that of what needs no change
            (1.5, 0.40, 1.10, 0.22, 3.0),
        )
    )
    assert choose([timid, even, harmful]) == even
    assert even.worst == pytest.approx(1.05) and timid.worst == pytest.approx(1.2)


def test_the_choice_is_written_into_the_card_and_the_engine_follows_it(photographs, tmp_path, monkeypatch, capsys):
    for kind in ("onnx", "json"):
        shutil.copy(folder / f"parametric.{kind}", tmp_path)
    card = tmp_path / "parametric.json"
    one = ("--boldness", "1.1", "--reserve", "250", "--power", "0.5")
    monkeypatch.setattr(sys, "argv", ["caution", str(photographs), str(card), *one])
    before = json.loads(card.read_text())
    caution.main()
    assert "boldness | reserve | power" in capsys.readouterr().out
    after = json.loads(card.read_text())
    assert after.pop("caution") == {
        "boldness": 1.1,
        "reserve": 250.0,
        "power": 0.5,
        "chosen_on": "38 composites of validation photographs",  # two photographs, six families at three, untouched
    }
    before.pop("caution", None)
    assert after == before
    picture, mask = np.full((64, 80, 3), 120, np.uint8), np.zeros((64, 80), np.uint8)
    mask[20:40, 30:60] = 255
    found = Network.load("parametric", tmp_path).harmonize(proxy(picture, mask))
    assert found.is_identity and found.leave  # nothing moves anything by 250 levels
