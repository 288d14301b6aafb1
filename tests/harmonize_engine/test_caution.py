import numpy as np
import pytest

from harmonize_engine import Curves, Harmonization, Shading
from harmonize_engine.caution import Caution, carried
from harmonize_engine.saturation import Saturation

x = np.linspace(0, 1, 33)
curves = Curves.uniform(np.stack([x**0.8, x**1.2, 0.1 + 0.8 * x]))
light = Shading(np.array([[0.8, 1.0], [1.1, 1.25]]))
found = Harmonization((curves, light), "model", "1")


def test_a_correction_within_the_reserve_is_not_made():
    assert [Caution(1.2, 5).strength(moved) for moved in (0.0, 3.0, 5.0)] == [0, 0, 0]
    assert carried(found, 0).is_identity


def test_a_large_one_is_carried_on():
    assert Caution(1.2, 5).strength(50) == pytest.approx(1.188)
    assert Caution(1.2).strength(0.1) == 1.2  # nothing is held in reserve


def test_the_lower_the_power_the_more_of_large_ones_is_held_back():
    garrote, soft, softer = (Caution(1.0, 5, power) for power in (2, 1, 0.5))
    assert [each.strength(20) for each in (garrote, soft, softer)] == [0.9375, 0.75, 0.5]
    assert [each.strength(5) for each in (garrote, soft, softer)] == [0, 0, 0]


def test_curves_and_light_go_as_far_as_they_are_carried():
    halfway, further = carried(found, 0.5), carried(found, 1.2)
    assert np.allclose(halfway.adjustments[0].y, (curves.x + curves.y) / 2)
    assert np.allclose(further.adjustments[0].y, curves.x + 1.2 * (curves.y - curves.x))
    assert np.allclose(further.adjustments[1].gain, light.gain**1.2, atol=1e-4)
    assert further.model == "model"


def test_curves_never_turn_back_nor_leave_the_range():
    steep = Curves.uniform(np.stack([np.clip(3 * x - 1, 0, 1)] * 3))
    bold = carried(Harmonization((steep,), "model", "1"), 2.0).adjustments[0]
    assert (np.diff(bold.y) >= 0).all() and bold.y.min() >= 0 and bold.y.max() <= 1


def test_other_adjustments_are_never_carried_further_than_they_go():
    vivid = Harmonization((Saturation(0.4),), "model", "1")
    assert carried(vivid, 1.5) == vivid
    assert carried(vivid, 0.5).adjustments[0] == Saturation(0.4).blend(0.5)


def test_a_card_without_any_lets_the_network_have_its_way():
    assert Caution.read({}) == Caution() and Caution().strength(0.01) == 1
    assert Caution.read({"boldness": 1.2, "reserve": 4, "chosen_on": "nothing"}) == Caution(1.2, 4)  # a garrote
    assert Caution.read({"boldness": 1.2, "reserve": 4, "power": 0.5}) == Caution(1.2, 4, 0.5)


@pytest.mark.parametrize(
    "numbers",
    [
        {"boldness": 1},
        {"boldness": 0, "reserve": 1},
        {"boldness": 1, "reserve": -1},
        {"boldness": 1, "reserve": 1, "power": 0},
    ],
)
def test_what_is_no_caution_is_refused(numbers):
    with pytest.raises((ValueError, KeyError)):
        Caution.read(numbers)
