from html.parser import HTMLParser

from harmonize_engine.evaluation import tables
from harmonize_engine.evaluation.page import Page, markdown
from harmonize_engine.evaluation.sheet import Sheet, Shown
from tests.harmonize_engine.evaluation.conftest import scene


class Parsed(HTMLParser):
    """Counts tags, and sees that they nest."""

    alone = frozenset({"meta", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.alone:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def page(outcome) -> Page:
    found = [outcome("composite", fmse=100), outcome("ours", harmony_before=0.4, harmony_after=0.6)]
    sheet = Sheet("Most harm", "note", (found[1],))
    shown = [Shown(found[1], scene(), scene().truth)]
    overview, details = tables.overview(found, "ours"), tables.details(found)
    return Page("<title>", "summary", [("Source", "a & b")], overview, details, [], [(sheet, shown)], "ours", ["note"])


def test_the_page_is_whole_and_loads_nothing(outcome):
    text = page(outcome).html()
    parsed = Parsed(text)
    assert parsed.stack == []
    pictures = [attributes["src"] for tag, attributes in parsed.seen if tag == "img"]
    assert len(pictures) == 3 and all(source.startswith("data:image/jpeg;base64,") for source in pictures)
    assert "http" not in text.replace("http-equiv", "")


def test_texts_are_escaped_and_a_card_tells_what_was_won(outcome):
    text = page(outcome).html()
    assert "<h1>&lt;title&gt;</h1>" in text and "a &amp; b" in text
    assert "10.0 to 5.0 levels off" in text and "harmony 0.40 to 0.60" in text


def test_the_same_in_markdown(outcome, tmp_path):
    made = page(outcome)
    text = markdown(made.title, made.summary, made.overview, made.details, made.notes)
    assert text.startswith("# <title>\n") and "### What is left of the error" in text and "## Every number" in text
    made.write(tmp_path / "index.html")
    assert (tmp_path / "index.html").read_text() == made.html()
