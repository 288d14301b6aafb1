# SPDX-License-Identifier: GPL-3.0-or-later
"""Harmonize for Krita: makes a pasted layer belong to its picture, with native layers that stay editable."""

from krita import DockWidgetFactory, DockWidgetFactoryBase, Krita

from .docker import HarmonizeDocker
from .extension import HarmonizeExtension
from .functions import harmonize, remove, show, strengthen
from .refusal import Refusal
from .task import Options, Outcome, Task

__all__ = ["Options", "Outcome", "Refusal", "Task", "harmonize", "remove", "show", "strengthen"]

_krita = Krita.instance()
_krita.addExtension(HarmonizeExtension(_krita))
_krita.addDockWidgetFactory(DockWidgetFactory("harmonize", DockWidgetFactoryBase.DockPosition.DockRight, HarmonizeDocker))
