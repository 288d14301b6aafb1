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


def settled():
    """What is visible once it stays the same for a moment: GIMP 3.0 gives tiles that it has not rendered anew yet."""
    before = shown(image)
    while True:
        time.sleep(0.5)
        now = shown(image)
        if now == before:
            return now
        before = now


while not os.path.exists(share + "end"):
    for name in [name for name in os.listdir(share) if name.startswith("keep-")]:
        os.unlink(share + name)
        keep(share + "partial", settled())
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
