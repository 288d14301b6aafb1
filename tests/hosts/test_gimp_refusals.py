"""What the plug-in in real GIMP does when it cannot or need not do anything: nothing, and it says why."""

import pytest
from gimp_scene import asking, brighter, plain
from gimp_session import Session
from xcf_pictures import wide_profile

from harmonize_engine.harmonization import Confidence, Harmonization

refusals = {
    "indexed": (
        "image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.WEB, 0, False, False, '')",
        "indexed",
    ),
    "hidden": ("pasted.set_visible(False)", "'Pasted' is hidden"),
    "elsewhere": ("image.select_rectangle(Gimp.ChannelOps.REPLACE, 40, 40, 5, 5)", "selection does not meet 'Pasted'"),
    "everything": ("pasted = under", "covers the whole picture"),
    "clear": ("pasted = layer_of(image, 'Clear', flat(0, 0, 0, 0), W, H)", "Nothing of 'Clear' can be seen"),
    "floating": (
        "image.select_rectangle(Gimp.ChannelOps.REPLACE, 12, 10, 5, 5)\n"
        "pasted = Gimp.Selection.float(image, [under], 0, 0)",
        "still floating",
    ),
    "nothing selected": ("pasted = None", "No layer is selected"),
    "nothing beneath": ("image.remove_layer(under)", "nothing to match"),
}


@pytest.fixture(scope="module")
def ask(gimp_root):
    with Session(gimp_root, plain) as session:
        yield asking(session)


@pytest.mark.parametrize("case", refusals)
def test_what_cannot_be_done_is_said_in_a_sentence(ask, case):
    change, words = refusals[case]
    answer = ask(
        f"""
image, under, pasted = scene()
{change}
before, selected = pixels_of(image), bytes(numbers(image.get_selection()))
answer["error"] = harmonize(image, *([pasted] if pasted else []))
answer["same"] = pixels_of(image) == before and bytes(numbers(image.get_selection())) == selected
"""
    )
    assert words in answer["error"]
    assert answer["same"]
    assert "fault of its own" not in answer["error"]


def test_a_picture_that_simulates_cmyk_is_harmonized_and_it_is_said_in_what_colours(ask):
    profile = bytearray(wide_profile())
    profile[12:20] = b"prtrCMYK"
    answer = ask(
        f"""
import sys
version = "3.2" if hasattr(Gimp, "Curve") else "3.0"
sys.path.insert(0, f"/session/home/.config/GIMP/{{version}}/plug-ins/harmonize")
from foreground import remark
image, under, pasted = scene()
answer["before"] = remark(image)
image.set_simulation_profile(Gimp.ColorProfile.new_from_icc_profile(bytes.fromhex("{profile.hex()}")))
answer["remark"] = remark(image)
answer["error"] = harmonize(image, pasted)
answer["layers"] = len(image.get_layers())
"""
    )
    assert answer.pop("remark").startswith("This picture simulates CMYK.")
    assert answer == {"before": "", "error": "", "layers": 3}


reasons = {"complains": "The mask is tiny. Paint.", "dies": "engine is not installed"}


@pytest.mark.parametrize("mood", reasons)
def test_an_engine_that_fails_leaves_the_picture_alone_and_says_why(ask, mood):
    """One that dies while it is asked is looked for again, and where it cannot be started, that is said."""
    answer = ask(
        """
image, under, pasted = scene()
before = pixels_of(image)
answer["error"] = harmonize(image, pasted)
answer["same"] = pixels_of(image) == before and len(image.get_layers()) == 2
""",
        mood=mood,
    )
    ask.engine.advertise()
    assert answer["same"]
    assert reasons[mood] in answer["error"]


def test_a_layer_that_fits_is_left_unless_asked(ask):
    fitting = Harmonization((brighter,), "test", "1", confidence=Confidence(0.9, 0.8, True))
    answer = ask(
        """
image, under, pasted = scene()
answer["error"] = harmonize(image, pasted)
answer["left"] = len(image.get_layers())
answer["always"] = harmonize(image, pasted, always=True)
answer["applied"] = len(image.get_layers())
""",
        fitting,
    )
    assert answer == {"error": "", "left": 2, "always": "", "applied": 3}
