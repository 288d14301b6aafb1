"""The models a server has: which there are, what is in memory, and what happens to weights that are not what they were."""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harmonize_engine import Composite, HarmonizeError, engine, network
from model_server.shelf import Shelf, takes

ample = 1 << 40
side = network.Card.read("parametric").side
one_takes, wide_takes = (takes(network.folder / "parametric.onnx", each) for each in (side, 2 * side))


@pytest.fixture
def more(tmp_path: Path) -> Path:
    """A folder of three more models: the default one by other names."""
    for name in ("amber", "birch", "cedar"):
        for suffix in (".onnx", ".json"):
            shutil.copy(network.folder / f"parametric{suffix}", tmp_path / f"{name}{suffix}")
    return tmp_path


@pytest.fixture
def composite() -> Composite:
    random = np.random.default_rng(3)
    mask = np.zeros((48, 64), np.float32)
    mask[10:30, 20:50] = 1
    return Composite(random.random((48, 64, 3), dtype=np.float32), mask)


def shelf(
    names: Sequence[str] | None = None, folders: Sequence[Path] = (), memory: float = ample, device: str = "cpu"
) -> Shelf:
    return Shelf(names, device, folders, int(memory))


def loaded(shelf: Shelf) -> list[str]:
    """Names of those that take memory."""
    return [model["name"] for model in shelf.models() if model["loaded"] and model["weights_sha256"]]


def test_lists_every_model_the_default_first(more: Path) -> None:
    listed = shelf(folders=[more]).models()
    assert [model["name"] for model in listed] == ["parametric", "statistics", "amber", "birch", "cedar"]
    assert [model["default"] for model in listed] == [True, False, False, False, False]
    card = network.Card.read("parametric")
    assert listed[0] == {
        "name": "parametric",
        "version": card.version,
        "summary": card.summary,
        "weights_sha256": card.sha256,
        "default": True,
        "loaded": False,
        "device": None,
    }


def test_only_those_named_are_served_the_first_of_them_by_default(more: Path, composite: Composite) -> None:
    chosen = shelf(["birch", "statistics"], [more])
    assert [model["name"] for model in chosen.models()] == ["birch", "statistics"]
    assert chosen.default == "birch"
    with pytest.raises(HarmonizeError, match=r"no model called 'parametric'\. Choose one of: birch, statistics") as error:
        chosen.harmonize_all("parametric", [composite])
    assert error.value.code == "model_unknown"


def test_an_unknown_name_is_told_at_once() -> None:
    with pytest.raises(HarmonizeError, match=r"no model called 'amber'\. Choose one of: parametric, statistics"):
        shelf(["parametric", "amber"])


@pytest.mark.parametrize("model", ["parametric", "statistics"])
def test_answers_what_the_engine_answers_in_process(model: str, composite: Composite) -> None:
    assert shelf().harmonize_all(model, [composite]) == [engine.harmonize(composite, model)]


def test_warming_loads_the_default_model_and_no_other(more: Path) -> None:
    warmed = shelf(["birch", "amber"], [more])
    assert loaded(warmed) == []
    warmed.warm()
    assert loaded(warmed) == ["birch"]


def test_statistics_is_always_there_and_takes_no_memory(composite: Composite) -> None:
    formula = shelf(["statistics"], memory=0)
    formula.warm()
    assert formula.models()[0]["loaded"] and formula.models()[0]["device"] is None
    assert formula.device.reason == "" and loaded(formula) == []


def test_tells_the_device_of_the_default_model_and_why_it_is_not_another() -> None:
    asked = shelf(device="coreml" if sys.platform != "darwin" else "directml")
    assert "not been loaded" in asked.device.reason
    asked.warm()
    assert asked.device.name == "cpu" and "does not offer" in asked.device.reason
    assert asked.device.milliseconds > 0
    assert asked.models()[0]["device"] == "cpu"


def test_an_unknown_device_is_told(composite: Composite) -> None:
    with pytest.raises(HarmonizeError) as error:
        shelf(device="abacus").warm()
    assert error.value.code == "device_unknown"


def test_who_was_used_longest_ago_goes_when_memory_is_short(more: Path, composite: Composite) -> None:
    small = shelf(["amber", "birch", "cedar"], [more], 2.5 * one_takes)
    for name in ("amber", "birch", "amber", "cedar"):
        small.harmonize_all(name, [composite])
    assert loaded(small) == ["amber", "cedar"]
    assert small.harmonize_all("birch", [composite])[0].model == "birch"
    assert loaded(small) == ["birch", "cedar"]
    assert small.device.name == "cpu" and small.device.reason == ""  # the default model's, though it has gone


def test_the_memory_of_who_goes_is_given_back(more: Path, composite: Composite, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr("model_server.memory.give_back", lambda: given.append(1))
    small = shelf(["amber", "birch"], [more], one_takes)
    small.harmonize_all("amber", [composite])
    assert not given
    small.harmonize_all("birch", [composite])
    assert given == [1]


def test_a_model_that_sees_larger_pictures_takes_more(more: Path, composite: Composite) -> None:
    for name in ("amber", "birch"):
        card = json.loads((more / f"{name}.json").read_text())
        (more / f"{name}.json").write_text(json.dumps(card | {"side": 2 * side}))
    wide = shelf(["amber", "birch", "cedar"], [more], one_takes + wide_takes - 1)
    for name in ("amber", "cedar"):
        wide.harmonize_all(name, [composite])
    assert loaded(wide) == ["cedar"]  # four times the pictures: no room for both


def test_a_model_larger_than_the_limit_is_used_alone(more: Path, composite: Composite) -> None:
    tiny = shelf(["amber", "birch"], [more], 0)
    for name in ("amber", "birch"):
        assert tiny.harmonize_all(name, [composite])[0].model == name
        assert loaded(tiny) == [name]


def test_a_loaded_model_is_not_loaded_again(more: Path, composite: Composite) -> None:
    kept = shelf(folders=[more])
    first = kept.harmonize_all("amber", [composite])
    (more / "amber.onnx").unlink()
    assert kept.harmonize_all("amber", [composite]) == first


def test_changed_weights_are_refused_until_they_are_mended_and_others_go_on(more: Path, composite: Composite) -> None:
    served = shelf(folders=[more])
    whole = (more / "amber.onnx").read_bytes()
    (more / "amber.onnx").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    for _ in range(2):
        with pytest.raises(HarmonizeError) as error:
            served.harmonize_all("amber", [composite])
        assert error.value.code == "weights_changed"
        assert served.harmonize_all("parametric", [composite])[0].model == "parametric"
    assert loaded(served) == ["parametric"]
    (more / "amber.onnx").write_bytes(whole)
    assert served.harmonize_all("amber", [composite])[0].model == "amber"


def test_weights_that_are_gone_are_told(more: Path, composite: Composite) -> None:
    served = shelf(folders=[more])
    (more / "amber.onnx").unlink()
    with pytest.raises(HarmonizeError, match="amber"):
        served.harmonize_all("amber", [composite])
    assert served.harmonize_all("birch", [composite])[0].model == "birch"
