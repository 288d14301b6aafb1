# SPDX-License-Identifier: GPL-3.0-or-later
"""The Qt that this Krita runs on: 5 (Krita 5) or 6 (Krita 6). The other one must never be loaded beside it."""

import sys

import krita  # loads the bindings that fit it

if "PyQt6.QtCore" in sys.modules:
    from PyQt6 import QtCore, QtGui, QtWidgets
else:
    from PyQt5 import QtCore, QtGui, QtWidgets

i18n = krita.Krita.krita_i18n


def __getattr__(name):
    """Find a class in whichever module this Qt keeps it: some have moved from 5 to 6."""
    for module in (QtCore, QtGui, QtWidgets):
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(name)
