import json

import jsonschema
import numpy as np
import pytest

from harmonize_engine import Confidence, Curves, Harmonization, HarmonizeError, Saturation, Shading
from harmonize_engine.harmonization import schema

curves = Curves.uniform(np.linspace(0, 1, 33) ** np.array([[0.8], [1.0], [1.3]]))
shading = Shading(np.random.default_rng(0).uniform(0.5, 2, (12, 16)))
whole = Harmonization((curves, Saturation(-0.2), curves, shading), "test", "1", "ab" * 32, Confidence(0.4, 0.8, False), 1.5)


@pytest.mark.parametrize("before", [0.53, 0.54])
def test_a_foreground_fits_from_a_harmony_on_whatever_is_advised(before):
    for leave in (False, True):
        assert Harmonization((), "t", "1", confidence=Confidence(before, 0.6, leave)).fits == (before == 0.54)
    assert not Harmonization((), "t", "1").fits


def test_json_gives_back_an_equal_value():
    assert Harmonization.from_json(whole.to_json()) == whole
    bare = Harmonization((), "test", "1")
    assert Harmonization.from_json(bare.to_json(indent=2)) == bare


def test_what_is_written_follows_the_published_schema():
    published = schema()
    jsonschema.Draft202012Validator.check_schema(published)
    for harmonization in (whole, Harmonization((), "test", "1")):
        jsonschema.validate(json.loads(harmonization.to_json()), published)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(whole.to_json()), "adjustments": [{"kind": "blur"}]}, published)


def test_a_typical_result_is_a_few_kilobytes():
    assert len(Harmonization((curves, shading), "parametric", "1", "ab" * 32).to_json()) < 8_000


def test_strengths_weaken_colour_and_light_apart():
    weak = whole.blend(color_strength=0.5, light_strength=0)
    assert weak.adjustments == (curves.blend(0.5), Saturation(-0.2, 0.5), curves.blend(0.5))
    assert whole.blend(0, 1).adjustments == (shading,)
    assert whole.blend() == whole


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strengths_beyond_the_range_are_refused(strength):
    with pytest.raises(HarmonizeError) as error:
        whole.blend(strength)
    assert error.value.code == "bad_strength"


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("adjustments"),
        lambda document: document.update(format="harmonize/99"),
        lambda document: document["adjustments"].append({"kind": "blur"}),
        lambda document: document["adjustments"].append({"kind": "shading", "width": 2, "height": 2, "gain": "AAA="}),
        lambda document: document["adjustments"].append({"kind": "saturation"}),
        lambda document: document.update(confidence={"before": 1}),
    ],
)
def test_other_json_is_refused_in_a_sentence(change):
    document = json.loads(whole.to_json())
    change(document)
    with pytest.raises(HarmonizeError) as error:
        Harmonization.from_json(json.dumps(document))
    assert error.value.code == "bad_parameters"


@pytest.mark.parametrize("text", ["", "[]", "null", "{", b"\xff\xfe"])
def test_what_is_not_json_is_refused_in_a_sentence(text):
    with pytest.raises(HarmonizeError) as error:
        Harmonization.from_json(text)
    assert error.value.code == "bad_parameters"
