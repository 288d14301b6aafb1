"""One line of a settings file of the kind `[section]`, `key=value`; all other bytes stay as they are."""

from __future__ import annotations


def value(content: bytes, section: str, key: str) -> str | None:
    """Read the value of a key, None where it has none."""
    lines = content.decode(errors="surrogateescape").splitlines()
    begin, end = _span(lines, section)
    found = [line.partition("=")[2].strip() for line in lines[begin:end] if _key(line) == key]
    return found[-1] if found else None


def has(content: bytes, section: str) -> bool:
    """Whether there is such a section."""
    return _span(content.decode(errors="surrogateescape").splitlines(), section)[0] > 0


def changed(content: bytes, section: str, key: str, wanted: str | None, keep: bool = False) -> bytes:
    """Give a key a value, or none; a missing section is added, one that is left empty goes, unless it is to keep."""
    text = content.decode(errors="surrogateescape")
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    begin, end = _span(lines, section)
    kept = [line for line in lines[begin:end] if _key(line) != key]
    if wanted is not None:
        if lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += ending
        if begin == 0:
            lines.append(f"[{section}]{ending}")
            begin = end = len(lines)
            kept = []
        places = [place for place, line in enumerate(lines[begin:end]) if _key(line) == key]
        filled = max((place + 1 for place, line in enumerate(kept) if line.strip()), default=0)
        kept.insert(places[0] if places else filled, f"{key}={wanted}{ending}")
    elif begin and not keep and not any(line.strip() for line in kept):
        begin -= 1
    return "".join((*lines[:begin], *kept, *lines[end:])).encode(errors="surrogateescape")


def _span(lines: list[str], section: str) -> tuple[int, int]:
    """The lines of a section below its heading; (0, 0) where it is missing."""
    headings = [(place, line.strip()) for place, line in enumerate(lines) if line.lstrip().startswith("[")]
    begin = next((place + 1 for place, line in headings if line == f"[{section}]"), 0)
    end = next((place for place, _ in headings if place >= begin), len(lines)) if begin else 0
    return begin, end


def _key(line: str) -> str | None:
    return line.partition("=")[0].strip() if "=" in line and not line.lstrip().startswith(("#", ";", "[")) else None
