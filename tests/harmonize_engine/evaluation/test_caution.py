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


def test_the_one_that_misses_its_bars_by_least_is_chosen():
    """Of full, mild, light and mild, worse, moved; bars are 0.45, 0.95, none, 0.1 and 1."""
    timid = Outlook(Caution(1.0, 9), 0.54, 0.90, 1.0, 0.05, 0.5)
    even = Outlook(Caution(1.3, 6), 0.45, 0.95, 2.0, 0.1, 1.05)
    harmful = Outlook(Caution(1.5, 0), 0.40, 0.90, 1.0, 0.15, 2.5)
    assert choose([timid, even, harmful]) == even
    assert even.worst == pytest.approx(1.05) and timid.worst == pytest.approx(1.2)


def test_the_choice_is_written_into_the_card_and_the_engine_follows_it(photographs, tmp_path, monkeypatch, capsys):
    for kind in ("onnx", "json"):
        shutil.copy(folder / f"parametric.{kind}", tmp_path)
    card = tmp_path / "parametric.json"
    one = ("--boldness", "1.1", "--reserve", "250")
    monkeypatch.setattr(sys, "argv", ["caution", str(photographs), str(card), *one])
    before = json.loads(card.read_text())
    caution.main()
    assert "boldness | reserve" in capsys.readouterr().out
    after = json.loads(card.read_text())
    assert after.pop("caution") == {
        "boldness": 1.1,
        "reserve": 250.0,
        "chosen_on": "26 composites of validation photographs",  # two photographs, four families at three, untouched
    }
    before.pop("caution", None)
    assert after == before
    picture, mask = np.full((64, 80, 3), 120, np.uint8), np.zeros((64, 80), np.uint8)
    mask[20:40, 30:60] = 255
    found = Network.load("parametric", tmp_path).harmonize(proxy(picture, mask))
    assert found.is_identity and found.leave  # nothing moves anything by 250 levels
