"""What the plug-in in real GIMP does when it cannot or need not do anything: nothing, and it says why."""

import shutil
from pathlib import Path

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

own = """
import sys
version = "3.2" if hasattr(Gimp, "Curve") else "3.0"
sys.path.insert(0, f"/session/home/.config/GIMP/{version}/plug-ins/harmonize")
"""  # lets a script import the plug-in's own modules


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
{own}
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


fates = {
    "fits": (0.9, "'Pasted' already fits the picture"),
    "no gain": (0.28, "Harmonizing 'Pasted' would probably not help"),
}


@pytest.mark.parametrize("fate", fates)
def test_a_layer_that_is_better_left_alone_is_left_unless_asked(ask, fate):
    before, reason = fates[fate]
    answer = ask(
        f"""
{own}
import unattended
from settings import Settings
image, under, pasted = scene()
answer["error"] = harmonize(image, pasted)
answer["left"] = len(image.get_layers())
told, message = [], Gimp.message
Gimp.message = told.append
try:
    unattended.harmonize(image, [pasted], Settings())
finally:
    Gimp.message = message
answer["told"] = told
answer["always"] = harmonize(image, pasted, always=True)
answer["applied"] = len(image.get_layers())
""",
        Harmonization((brighter,), "test", "1", confidence=Confidence(before, 0.2, True)),
    )
    (told,) = answer.pop("told")
    assert told.startswith(f"{reason}, so it was left as it is. To harmonize it anyway, ")
    assert answer == {"error": "", "left": 2, "always": "", "applied": 3}


@pytest.mark.parametrize(
    ("options", "told", "layers"),
    [((), "left as it is: ", 2), (("--always",), "harmony 0.28 before, 0.20 after", 3)],
    ids=["advised", "always"],
)
def test_a_folder_tells_which_pictures_were_left(ask, gimp_root, options, told, layers):
    advised = Harmonization((brighter,), "test", "1", confidence=Confidence(0.28, 0.2, True))
    (gimp_root.share / "alone").mkdir(exist_ok=True)
    ask(
        """
image, under, pasted = scene()
image.set_selected_layers([pasted])
save(image, "/session/share/alone/one.xcf")
""",
        advised,
    )
    shutil.copy(Path(__file__).parents[2] / "plugin_gimp/batch/harmonize_folder.py", gimp_root.share)
    folders = ("/session/share/alone", "/session/share/results")
    ended = gimp_root.run("python3", "/session/share/harmonize_folder.py", *folders, *options)
    assert ended.stdout.splitlines()[-1].startswith(f"one.xcf: {told}"), ended.stdout
    assert ended.returncode == 0
    made = ask("answer['layers'] = len(load('/session/share/results/one.xcf').get_layers())", advised)
    assert made == {"layers": layers}
