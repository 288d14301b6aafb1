"""Runs inside a GIMP with windows, beside what the keyboard does: answers the files that a test puts down.

keep-NAME: write down what is visible and the layers. do: Python to be run.
"""

import json
import os
import time

from gi.repository import Gimp
from kit import described, keep, shown

share = "/session/share/"
image = Gimp.get_images()[0]


def visible():
    """What the layers make, rendered anew: on a busy machine GIMP 3.0 still gives old tiles of its own projection."""
    copy = image.duplicate()
    found = shown(copy)
    copy.delete()
    return found


while not os.path.exists(share + "end"):
    for name in [name for name in os.listdir(share) if name.startswith("keep-")]:
        os.unlink(share + name)
        keep(share + "partial", visible())
        os.rename(share + "partial", share + name[5:] + ".pixels")
        with open(share + name[5:] + ".json", "w") as file:
            json.dump(
                {
                    "layers": [described(layer) for layer in image.get_layers()],
                    "active": [layer.get_name() for layer in image.get_selected_layers()],
                },
                file,
            )
    if os.path.exists(share + "do"):
        with open(share + "do") as file:
            exec(file.read())
        Gimp.displays_flush()
        os.unlink(share + "do")
    time.sleep(0.1)
