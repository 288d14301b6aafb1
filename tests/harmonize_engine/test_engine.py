"""Models by name, and folders of more weights."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from harmonize_engine import HarmonizeError, engine, network, proxy, statistics

picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
mask = np.zeros((48, 64), np.uint8)
mask[10:30, 20:50] = 255
composite = proxy(picture, mask)


@pytest.fixture
def more(tmp_path):
    """A folder with the weights that ship, under a name."""
    network.loaded.cache_clear()

    def add(name, folder="more", **changed):
        (tmp_path / folder).mkdir(exist_ok=True)
        shutil.copy(network.folder / "parametric.onnx", tmp_path / folder / f"{name}.onnx")
        card = json.loads((network.folder / "parametric.json").read_bytes())
        (tmp_path / folder / f"{name}.json").write_text(json.dumps({**card, **changed}))
        return tmp_path / folder

    yield add
    network.loaded.cache_clear()


def test_two_models_ship_the_default_first():
    assert [model.name for model in engine.models()] == ["parametric", "statistics"]


def test_weights_in_another_folder_are_a_model(more):
    folder = more("mine", version="7")
    assert [(model.name, model.version) for model in engine.models([folder])][2:] == [("mine", "7")]
    (found,) = engine.harmonize_all([composite], "mine", [folder])
    assert (found.model, found.version) == ("mine", "7")
    assert found.adjustments == engine.harmonize(composite).adjustments
    assert engine.load("mine", [folder]).card.version == "7"


def test_the_first_folder_with_a_name_has_it_before_those_that_ship(more):
    first, second = more("parametric", "first", version="first"), more("parametric", "second", version="second")
    more("mine", "second", version="second")
    folders = [first, second]
    assert [model.version for model in engine.models(folders) if model.name != "statistics"] == ["first", "second"]
    assert engine.load("parametric", folders).card.version == "first"
    assert engine.load("mine", folders).card.version == "second"
    assert engine.harmonize(composite).version == engine.models()[0].version


def test_statistics_is_always_the_model_without_weights(more):
    folder = more("statistics")
    assert [model.weights_sha256 is None for model in engine.models([folder])] == [False, True]
    assert engine.harmonize_all([composite], "statistics", [folder]) == [statistics.harmonize(composite)]


@pytest.mark.parametrize(
    "name", ["../more/mine", "mine.onnx", "..", "", "mine\0", "/etc/passwd", "lonely", "nobody", "PARAMETRIC"]
)
def test_names_lead_to_nothing_but_the_weights_that_were_listed(more, name):
    folder = more("mine")
    (folder / "lonely.onnx").write_bytes(b"no card")
    (folder / "nobody.json").write_text("{}")
    for ask in (engine.load, engine.folder_of):
        with pytest.raises(HarmonizeError) as refusal:
            ask(name, [folder])
        assert refusal.value.code == "model_unknown"
        assert refusal.value.hint == "Choose one of: parametric, statistics, mine."


@pytest.mark.parametrize(
    "card", ["", "[]", "{}", '{"version": "1", "sha256": "", "summary": "", "gate": {"leave_above": null}}']
)
def test_a_broken_card_is_named(more, card):
    folder = more("mine")
    (folder / "mine.json").write_text(card)
    with pytest.raises(HarmonizeError, match=r"mine\.json") as refusal:
        engine.models([folder])
    assert refusal.value.code == "weights_broken"


def test_weights_that_are_no_network_are_named(more):
    nonsense = bytes(1000)
    folder = more("mine", sha256=hashlib.sha256(nonsense).hexdigest())
    (folder / "mine.onnx").write_bytes(nonsense)
    with pytest.raises(HarmonizeError, match=r"mine\.onnx") as refusal:
        engine.load("mine", [folder])
    assert refusal.value.code == "weights_broken"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(HarmonizeError, match="nowhere") as refusal:
        engine.models([tmp_path / "nowhere"])
    assert refusal.value.code == "folder_missing"


def test_a_network_is_loaded_once():
    assert network.loaded("parametric") is network.loaded("parametric")
    engine.harmonize(composite)
    before = network.loaded.cache_info().misses
    engine.harmonize(composite)
    assert network.loaded.cache_info().misses == before


@pytest.mark.parametrize("model", ["parametric", "statistics"])
def test_several_are_answered_in_their_order(model):
    turned = proxy(picture[::-1, ::-1] // 2, mask[::-1, ::-1])
    first, second = (engine.harmonize(one, model) for one in (composite, turned))
    assert first.adjustments != second.adjustments
    for found, alone in zip(engine.harmonize_all([turned, composite, turned], model), (second, first, second), strict=True):
        assert np.allclose(found.adjustments[0].y, alone.adjustments[0].y, atol=1e-5)
    assert engine.harmonize_all([], model) == []
