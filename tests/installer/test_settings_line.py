"""One line of a settings file is set and taken back, and nothing else in it ever changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installer.settings_line import changed, has, value

names = st.text("abcXYZ_ é", min_size=1, max_size=5).map(str.strip).filter(bool)
lines = st.one_of(
    st.builds("[{}]".format, names),
    st.builds("{}={}".format, names, names),
    st.sampled_from(["", "# a comment", "; [python]", "no sense", "[half", "  [python] ", "enable_harmonize=maybe"]),
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"[python]\nenable_harmonize=true\n"),
        (b"[python]\n", b"[python]\nenable_harmonize=true\n"),
        (b"[python]", b"[python]\nenable_harmonize=true\n"),
        (b"a=1\n[b]\nc=2\n", b"a=1\n[b]\nc=2\n[python]\nenable_harmonize=true\n"),
        (b"[python]\na=1\n\n[b]\n", b"[python]\na=1\nenable_harmonize=true\n\n[b]\n"),
        (b"[python]\r\na=1\r\n", b"[python]\r\na=1\r\nenable_harmonize=true\r\n"),
        (b"[python]\nenable_harmonize=false\nz=1\n", b"[python]\nenable_harmonize=true\nz=1\n"),
        (b"[b]\nenable_harmonize=false\n", b"[b]\nenable_harmonize=false\n[python]\nenable_harmonize=true\n"),
    ],
)
def test_a_line_is_set_where_it_belongs(before: bytes, after: bytes) -> None:
    assert changed(before, "python", "enable_harmonize", "true") == after


@given(content=st.lists(lines, unique=True).map(lambda rows: "".join(f"{row}\n" for row in rows).encode()))
def test_a_line_is_taken_back_without_a_trace(content: bytes) -> None:
    was, there = value(content, "python", "enable_harmonize"), has(content, "python")
    filled = changed(content, "python", "enable_harmonize", "true")
    assert value(filled, "python", "enable_harmonize") == "true"
    assert changed(filled, "python", "enable_harmonize", was, keep=there) == content


def test_the_last_of_two_lines_counts() -> None:
    assert value(b"[python]\na=1\na=2\n", "python", "a") == "2"
    assert value(b"[python]\na=1\n", "python", "b") is None
    assert value(b"a=1\n", "python", "a") is None


def test_bytes_that_are_no_utf_8_stay() -> None:
    content = b"[recent]\nname=\xff\xfe.png\n"
    assert content in changed(content, "python", "a", "1")
