import hashlib

import numpy as np
import pytest

from harmonize_engine import HarmonizeError
from harmonize_engine.evaluation.protocols import chosen, entries


def test_protocols_are_named_by_family_magnitude_or_both():
    assert [p.name for p in chosen(["film-mild"])] == ["film-mild"]
    assert {p.magnitude for p in chosen(["film"])} == {0.3, 0.6, 1.0}
    assert {p.family for p in chosen(["mild"])} == {"filters", "statistics", "retouch", "light", "development", "film"}
    assert [p.name for p in chosen(["untouched"])] == ["untouched"]
    assert [p.name for p in chosen(["pasted"])] == ["pasted"]
    assert len(chosen([])) == 6 * 3 + 2 + 6


def test_an_unknown_protocol_is_refused():
    with pytest.raises(HarmonizeError) as error:
        chosen(["fulm"])
    assert error.value.code == "protocol_unknown"


def test_the_test_half_of_the_validation_photographs_alone_takes_part_and_fewer_are_a_part_of_more(photographs):
    every = [e.name for e in entries(photographs, chosen(["film-full"]), 0)]
    assert sorted(every) == ["photo0", "photo2", "photo4"]
    assert [e.name for e in entries(photographs, chosen(["film-full"]), 2)] == every[:2]
    assert {e.name for e in entries(photographs, chosen(["film-full"]), 0, "train")} == {"photo3"}
    assert {e.name for e in entries(photographs, chosen(["film-full"]), 0, "calibration")} == {"photo1", "photo6"}


def test_a_scene_is_the_same_every_time(photographs):
    (entry,) = entries(photographs, chosen(["retouch-full"]), 1)
    first, again = entry.scene(), entry.scene()
    assert first.sha256 == again.sha256
    assert (first.composite[first.mask == 0] == first.truth[first.mask == 0]).all()
    assert (first.composite != first.truth).any()


def test_magnitudes_and_sizes_are_of_the_same_change(photographs):
    mild, full, large = (entries(photographs, chosen([f"light-{w}"]), 1)[0] for w in ("mild", "full", "full-1080p"))
    assert mild.seed == full.seed == large.seed
    assert min(large.scene().mask.shape) == 1080

    def change(scene):
        return np.abs(scene.composite.astype(float) - scene.truth)[scene.mask == 255].mean()

    assert change(large.scene()) == pytest.approx(change(full.scene()), rel=0.1)
    assert 0 < change(mild.scene()) < change(full.scene())


def test_sources_are_fingerprints_of_the_files(photographs):
    (entry,) = entries(photographs, chosen(["statistics-full"]), 1)
    sources = entry.sources()
    assert sources["image"] == hashlib.sha256((photographs / "images" / f"{entry.name}.png").read_bytes()).hexdigest()
    assert set(sources) == {"image", "mask", "other_image", "other_mask"}


def test_untouched_scenes_are_their_own_truth(photographs):
    (entry,) = entries(photographs, chosen(["untouched"]), 1)
    assert np.array_equal(entry.scene().composite, entry.scene().truth)


def test_a_folder_without_photographs_is_refused(tmp_path):
    with pytest.raises(HarmonizeError) as error:
        entries(tmp_path, chosen(["film-full"]), 0)
    assert error.value.code == "no_photographs"
