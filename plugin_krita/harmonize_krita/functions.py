# SPDX-License-Identifier: GPL-3.0-or-later
"""What the docker does, as functions for the Scripter: `import harmonize_krita; harmonize_krita.harmonize()`.

They wait for the engine, up to a few seconds when it has to be started. Each takes a document, by default the active one,
and a layer, by default its active one; problems are raised as Refusal, whose text is a sentence.
"""

from krita import Krita

from . import edits, record
from .engine_client import EngineError
from .foreground import Foreground
from .qt import i18n
from .refusal import Refusal
from .task import Options, Task, refusal


def harmonize(document=None, layer=None, **options):
    """Make a layer belong, or renew the group that does; options are those of Options. Returns an Outcome."""
    task = Task(document or Krita.instance().activeDocument(), layer, Options(**options))
    try:
        answer = task.ask()
    except EngineError as error:
        raise refusal(error) from error
    outcome = task.apply(answer)
    task.foreground.document.waitForDone()
    return outcome


def strengthen(color_strength=1.0, light_strength=1.0, document=None, layer=None):
    """Set how strongly the layers of a group act, 0..1."""
    foreground = harmonized(document, layer)
    edits.strengthen(foreground.document, foreground.record, color_strength, light_strength)
    record.keep(foreground.document, foreground.record)
    foreground.document.waitForDone()


def show(after=True, document=None, layer=None):
    """Show the picture harmonized, or as it was before."""
    foreground = harmonized(document, layer)
    edits.show(foreground.document, foreground.record, after)
    foreground.document.waitForDone()


def remove(document=None, layer=None):
    """Remove the group of a layer; the layer shows as it was."""
    foreground = harmonized(document, layer)
    edits.remove(foreground.document, foreground.record)
    foreground.document.waitForDone()


def harmonized(document=None, layer=None):
    """The foreground that a harmonized layer, its group or a layer in the group stands for."""
    foreground = Foreground.find(document or Krita.instance().activeDocument(), layer)
    if foreground.record is None:
        raise Refusal(i18n("“{0}” is not harmonized.").format(foreground.layer.name()), code="not_harmonized")
    return foreground
