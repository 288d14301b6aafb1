"""From the body of a request to the composite that a model looks at."""

from typing import Any

import msgspec
import numpy as np
import pytest

from harmonize_engine import HarmonizeError, engine
from harmonize_engine.composite import proxy
from model_server.limits import Limits
from model_server.question import Question
from tests.model_server.proxies import base64_of, question, scene


def read(content: dict[str, Any], limits: Limits | None = None) -> Question:
    return Question.of(msgspec.json.encode(content), limits or Limits())


def refusal(content: dict[str, Any]) -> HarmonizeError:
    with pytest.raises(HarmonizeError) as caught:
        read(content)
    return caught.value


@pytest.mark.parametrize("model", ["parametric", "statistics"])
@pytest.mark.parametrize("size", [(96, 64), (600, 300)])
def test_a_model_sees_the_same_as_without_a_server(model: str, size: tuple[int, int]):
    image, mask = scene(1, *size)
    background, _ = scene(2, *size)
    seen = read(question(image, mask, background=background, reference_mask=255 - mask)).composite
    expected = engine.harmonize(proxy(image, mask, background, 255 - mask), model)
    answer = engine.harmonize(seen, model)
    for ours, theirs in zip(answer.adjustments, expected.adjustments, strict=True):
        for name, values in vars(ours).items():
            np.testing.assert_allclose(values, vars(theirs)[name], atol=1e-5)


def test_bytes_wait_as_bytes():
    seen = read(question(*scene(width=512, height=384))).composite
    assert seen.image.nbytes + seen.mask.nbytes == 4 * 512 * 384


@pytest.mark.parametrize("plane", ["composite", "mask", "background", "reference_mask"])
def test_a_plane_of_another_size_is_named(plane: str):
    image, mask = scene()
    content = question(image, mask, background=image, reference_mask=mask)
    for wrong in ("", content[plane][4:], content[plane] + "AAAA"):
        error = refusal(content | {plane: wrong})
        assert error.code == f"{plane.split('_')[0]}_size"
        assert f"The field {plane} has {len(wrong)} characters" in error.message


@pytest.mark.parametrize("start", ["A\nAA", "A AA", "A-_A", "A=AA", "AA==", "AAAé", "A\x00AA"])
def test_what_is_not_base64_is_refused_though_its_length_fits(start: str):
    content = question(*scene())
    error = refusal(content | {"mask": start + content["mask"][4:]})
    assert error.code == "bad_base64"
    assert "mask" in error.message


def test_padding_in_place_of_pixels_is_refused():
    image, mask = scene()  # 96 x 64 pixels fill their base64 without padding
    error = refusal(question(image, mask) | {"mask": base64_of(mask)[:-4] + "AA=="})
    assert error.code == "bad_base64"


def test_a_bomb_of_pixels_is_refused_before_anything_is_decoded():
    error = refusal({"width": 65536, "height": 65536, "composite": "", "mask": ""})
    assert error.code == "picture_too_large"


def test_the_models_refusals_are_ours():
    image, mask = scene()
    few = np.zeros_like(mask)
    few[5, 5] = 255
    assert refusal(question(image, 0 * mask)).code == "mask_empty"
    assert refusal(question(image, few)).code == "mask_tiny"
    assert refusal(question(image, 0 * mask + 255)).code == "mask_full"
    assert refusal(question(*scene(width=15, height=64))).code == "picture_too_small"
    assert refusal(question(*scene(width=400, height=16))).code == "picture_too_narrow"


def test_other_encodings_are_told_what_to_send():
    error = refusal(question(*scene(), encoding="linear"))
    assert error.code == "encoding_unknown"
    assert "display-encoded" in error.hint
