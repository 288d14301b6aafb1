import io
import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from harmonize_engine import Confidence, Curves, Harmonization, HarmonizeError, Saturation, Shading, render, report
from harmonize_engine.report import Report, plot, sheet
from harmonize_engine.report.page import html
from harmonize_engine.report.views import LightView, colour, fitted

curves = Curves.uniform([[0.0, 0.5, 0.9], [0.0, 0.6, 1.0], [0.1, 0.5, 0.8]])
full = Harmonization(
    (curves, Saturation(0.2), curves, Shading([[0.8, 1.2]])), "test", "4", "ab" * 32, Confidence(0.2, 0.8, leave=False)
)


def made(harmonization: Harmonization = full, left: bool = False, shape: tuple[int, int] = (60, 80)) -> Report:
    down, across = np.meshgrid(*(np.linspace(0, 255, side) for side in shape), indexing="ij")
    before = np.stack([down, across, 255 - down], axis=-1).astype(np.uint8)
    mask = np.zeros(shape, np.uint8)
    mask[10:40, 20:60] = 255
    after = before if left else render(before, mask, harmonization)
    return Report("a <b> & c.png", before, after, mask, harmonization, 12.3, 45.6, left=left)


class Page(HTMLParser):
    """Collects addresses and checks that elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "data", "srcset")]
        if tag not in ("meta", "img", "input", "rect", "path", "polyline"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing() -> None:
    text = html(made())
    page = Page()
    page.feed(text)
    assert page.open == []
    assert len(page.addresses) == 4  # before, after, mask, light map
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert not re.search(r"https?:|url\(|@import", text)
    assert "a &lt;b&gt; &amp; c.png" in text


def test_the_page_holds_both_pictures() -> None:
    report_ = made()
    pictures = [Image.open(io.BytesIO(b64decode(code))) for code in re.findall(r'base64,([^"]+)', html(report_))]
    for picture, pixels in zip(pictures[:2], (report_.before, report_.after), strict=True):
        assert picture.size == (80, 60)
        assert np.abs(np.asarray(picture).astype(int) - pixels).mean() < 2


def test_facts_in_words_and_numbers() -> None:
    facts = dict(made().facts())
    assert facts["Harmony before"] == "0.20, does not belong"
    assert facts["Harmony after"] == "0.80, fits"
    assert facts["Picture"] == "80 x 60 pixels, 8 bit"
    assert facts["Foreground"] == "25.0% of the picture"
    assert facts["Saturation"] == "+20%"
    assert facts["Model"] == "test 4"
    assert facts["Weights"].endswith("ab" * 32)
    assert facts["Time"] == "12 ms looking, 46 ms rendering"
    assert re.fullmatch(r"-\d+% to \+\d+%", facts["Light"])


def test_the_verdict() -> None:
    assert made().verdict == "The foreground was changed by tone curves, saturation and a light map."
    assert made(Harmonization((curves,), "t", "1")).verdict == "The foreground was changed by tone curves."
    assert made(Harmonization((), "t", "1")).verdict == "Nothing was changed."


@pytest.mark.parametrize(
    ("before", "reason"), [(0.28, "Harmonizing would probably not help"), (0.8, "It already fits")], ids=["pasted", "fits"]
)
def test_the_verdict_says_why_a_picture_was_left(before: float, reason: str) -> None:
    advised = Harmonization((curves,), "t", "1", confidence=Confidence(before, before, leave=True))
    assert made(advised, left=True).verdict == f"{reason}; left as it is."


@pytest.mark.parametrize("before", [0.53, 0.54])
def test_only_what_the_table_calls_fitting_is_said_to_fit(before: float) -> None:
    report = made(Harmonization((curves,), "t", "1", confidence=Confidence(before, before, leave=True)), left=True)
    called = dict(report.facts())["Harmony before"].split(", ")[1]
    assert (called == "fits") == report.verdict.startswith("It already fits")


def test_the_plot_draws_every_knot() -> None:
    drawing = ElementTree.fromstring(plot.svg(curves))
    lines = [element.attrib["points"].split() for element in drawing.iter("polyline")]
    assert [len(points) for points in lines] == [3, 3, 3]
    assert lines[0][1] == f"{plot.side / 2:.1f},{plot.side / 2:.1f}"
    assert lines[2][0] == f"0.0,{0.9 * plot.side:.1f}"


def test_labels_of_curves_that_meet_are_kept_apart() -> None:
    assert plot.label_heights([10, 12, 50], 13) == [10, 23, 50]
    assert plot.label_heights([50, 50, 50], 13) == [50, 63, 76]
    assert plot.label_heights([60, 20, 21], 13) == [60, 20, 33]


def test_the_light_map_is_blue_where_it_darkens_and_amber_where_it_brightens() -> None:
    report_ = made()
    assert report_.shading is not None
    light = LightView.paint(report_.shading, report_.before, report_.mask, (60, 80))
    shown = np.asarray(light.image).astype(int)
    assert light.reach == pytest.approx(0.2)
    assert shown[25, 22, 2] > shown[25, 22, 0] + 60
    assert shown[25, 57, 0] > shown[25, 57, 2] + 60
    outside = shown[50]
    assert (outside.max(-1) - outside.min(-1)).max() <= 1
    assert (colour(np.array([0.0])) * 255).round().tolist() == [[226, 224, 218]]


@pytest.mark.parametrize("shape", [(60, 80), (2000, 300), (64, 1200), (45, 45)])
def test_the_sheet_fits_any_shape(shape: tuple[int, int]) -> None:
    image = sheet.draw(made(shape=shape))
    assert image.width == 1600
    assert image.height < 3000


def test_nothing_is_enlarged() -> None:
    assert fitted((100, 50, 3), (1000, 1000)) == (100, 50)
    assert fitted((4000, 2000), (1000, 1000)) == (1000, 500)
    assert fitted((10, 30000), (1000, 300)) == (1, 300)


def test_16_bits_floats_and_an_empty_harmonization(tmp_path: Path) -> None:
    for pixels in (np.zeros((30, 40, 4), np.uint16), np.zeros((30, 40, 3), np.float32)):
        plain = Report("x", pixels, pixels, np.zeros((30, 40), np.uint8), Harmonization((), "t", "1"), 0, 0)
        for name in ("report.html", "report.png"):
            report.write(plain, tmp_path / name)
            assert (tmp_path / name).stat().st_size > 5000


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HarmonizeError, match=r"\.html or \.png"):
        report.write(made(), tmp_path / "report.pdf")
    assert not list(tmp_path.iterdir())
