# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist has chosen, kept in Krita's own settings."""

from krita import Krita

section = "harmonize"
defaults = {
    "model": "",  # the engine's default
    "reference": "beneath",
    "color_strength": "1.0",
    "light_strength": "1.0",
    "exact": "false",
    "engine": "auto",
}


def get(name):
    """A setting as text."""
    return Krita.instance().readSetting(section, name, defaults[name])


def put(name, value):
    """Keep a setting."""
    Krita.instance().writeSetting(section, name, str(value).lower() if isinstance(value, bool) else str(value))


def number(name):
    """A setting between 0 and 1."""
    try:
        return min(max(float(get(name)), 0.0), 1.0)
    except ValueError:
        return float(defaults[name])


def engine_choice():
    """auto, server or in-process."""
    return get("engine") if get("engine") in ("auto", "server", "in-process") else "auto"
