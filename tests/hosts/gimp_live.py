"""Runs inside a GIMP that stays: does the scripts a test puts down, one after the other, and hands back what they say."""

import json
import os
import time
import traceback

import kit
from bench import result
from gi.repository import Babl, Gegl, Gimp, Gio

share = "/session/share/"


def done(task):
    said = []
    names = {**vars(kit), "json": json, "Babl": Babl, "Gegl": Gegl, "Gimp": Gimp, "Gio": Gio}
    names.update(arguments=task["arguments"], result=lambda text: said.append(str(text)))
    try:
        exec(compile(task["script"], "script.py", "exec"), names)
        return {"said": said[-1]}
    except BaseException:
        return {"fault": traceback.format_exc()}
    finally:
        for image in Gimp.get_images():
            image.delete()


while not os.path.exists(share + "end"):
    if os.path.exists(share + "task"):
        with open(share + "task") as file:
            answer = done(json.load(file))
        os.unlink(share + "task")
        kit.keep(share + "partial", json.dumps(answer).encode())
        os.rename(share + "partial", share + "answer")
    time.sleep(0.02)
result("ended")
