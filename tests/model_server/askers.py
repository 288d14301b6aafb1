"""A stand-in for all models, and the questions put to a line in front of it."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Sequence
from typing import Any

import numpy as np

from harmonize_engine import Composite, Harmonization, HarmonizeError
from model_server.line import Line

patience = 20  # seconds until a test that hangs has failed


class Model:
    """Stands for all models: answers with the number it was shown; if it is held, one look for each `may_go`."""

    def __init__(self) -> None:
        self.looks: list[tuple[str, list[int]]] = []
        self.bad: set[int] = set()
        self.seconds = 0.0
        self.held = False
        self.began, self.may_go = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, name: str, composites: Sequence[Composite]) -> list[Harmonization]:
        numbers = [int(composite.image[0, 0, 0]) for composite in composites]
        self.looks.append((name, numbers))
        self.began.release()
        if self.held:
            assert self.may_go.acquire(timeout=patience)
        time.sleep(self.seconds * len(composites))
        if bad := self.bad.intersection(numbers):
            raise HarmonizeError("bad", f"{min(bad)} is bad.")
        return [Harmonization((), name, str(number)) for number in numbers]


def play(story: Coroutine[Any, Any, None]) -> None:
    """Afterwards no task may be left over and nothing may have gone wrong behind the story's back."""
    complaints: list[dict[str, Any]] = []

    async def played() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await asyncio.wait_for(story, patience)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(played())
    assert not complaints


async def ask(line: Line, number: int, name: str = "one") -> int:
    composite = Composite(np.full((1, 1, 3), number, np.float32), np.zeros((1, 1), np.float32))
    async with line.place():
        return int((await line.look(name, composite)).harmonization.version)


async def asking(line: Line, *numbers: int, name: str = "one") -> list["asyncio.Task[int]"]:
    """Put questions into the line, in this order."""
    tasks = [asyncio.create_task(ask(line, number, name)) for number in numbers]
    await asyncio.sleep(0)
    return tasks


async def outcomes(tasks: Sequence["asyncio.Task[int]"]) -> list[int | str]:
    """Give each task's number, or the kind of its error."""
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    return [one if isinstance(one, int) else type(one).__name__ for one in ended]
