"""What Krita's settings file, kritarc, says about plug-ins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from installer.settings_line import value

section, key = "python", "enable_harmonize_krita"
escapes = {"s": " ", "t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


def resource_folder(content: bytes, environment: Mapping[str, str], home: Path) -> Path | None:
    """The folder that Krita keeps its resources and plug-ins in, where the artist has chosen one."""
    for line in content.decode(errors="surrogateescape").splitlines():
        if line.lstrip().startswith("["):
            return None  # it would stand above the first section
        name, _, told = line.partition("=")
        if re.fullmatch(r"ResourceDirectory(\[\$[a-z]*e[a-z]*\])?", name.strip()) and told.strip():
            told = re.sub(r"\\(.)", lambda escape: escapes.get(escape[1], escape[0]), told.strip())
            return Path(_expanded(told, {"HOME": str(home), **environment}) if "[$" in name else told)
    return None


def enabled(content: bytes) -> bool | None:
    """Whether the plug-in is switched on; None: the file does not say, and Krita leaves a new plug-in off."""
    told = value(content, section, key)
    return None if told is None else told.lower() in ("true", "1", "yes", "on")


def _expanded(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda variable: known.get(variable[1], variable[0]), text)
