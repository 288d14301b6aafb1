"""Every suffix of the table has a writer, and every other is refused with the list."""

import subprocess
import sys

import pytest

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.files.kinds import kinds, write
from harmonize_engine.harmonization import Harmonization
from tests.harmonize_engine.files.layered_pictures import layered, light, warm


@pytest.mark.parametrize("suffix", kinds)
def test_every_suffix_is_written(tmp_path, suffix):
    write(layered(warm, light), tmp_path / f"a{suffix.upper()}")
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix.upper()}"]


def test_parameters_are_those_of_the_strengths_asked_for(tmp_path):
    picture = layered(warm, light, color_strength=0.5)
    write(picture, tmp_path / "a.json")
    parameters = Harmonization.from_json((tmp_path / "a.json").read_bytes())
    assert parameters == picture.harmonization.blend(0.5)


def test_other_suffixes_are_refused_with_the_list(tmp_path):
    with pytest.raises(HarmonizeError) as refusal:
        write(layered(warm), tmp_path / "a.psd")
    assert refusal.value.code == "suffix_unknown"
    assert all(suffix in refusal.value.hint for suffix in kinds)


def test_writers_are_imported_only_when_needed():
    check = (
        "import sys, harmonize_engine.files.kinds; print([m for m in sys.modules if m.endswith(('.kra', '.xcf', '.ora'))])"
    )
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
