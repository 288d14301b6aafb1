"""The bounded waiting line in front of the one thread that looks at composites."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from harmonize_engine.composite import Composite
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization
from model_server.limits import Limits

Look = Callable[[str, Sequence[Composite]], list[Harmonization]]
newest_share = 0.2  # of the last look in the mean that foretells the next ones


class Busy(HarmonizeError):
    """The line is full; in `retry_after` whole seconds those who are in it should be through."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("busy", "The engine is busy: too many requests are waiting.", f"Try again in {retry_after} s.")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Looked:
    """What was found, how long it waited for its turn and how long the look took, with how many composites in it."""

    harmonization: Harmonization
    waited_ms: float
    looked_ms: float
    batch: int


@dataclass(frozen=True, eq=False)
class _Question:
    model: str
    composite: Composite
    answer: "asyncio.Future[Looked | Exception]"
    since: float


class Line:
    """First come, first served; what waits for the same model as the first goes along with it in one look.

    The model looked with is always that of the oldest question, so each look brings every question nearer to its turn
    and none starves. Nobody waits for company: a look begins as soon as the thread is free. Belongs to one event loop.
    """

    def __init__(self, look: Look, limits: Limits) -> None:
        self._look = look
        self._limits = limits
        self._thread = ThreadPoolExecutor(1, "look")
        self._waiting: list[_Question] = []
        self._looking = False
        self._places = 0
        self._seconds = 0.0  # a composite has taken lately

    @property
    def length(self) -> int:
        """How many requests hold a place."""
        return self._places

    def retry_after(self) -> int:
        """Tell in how many whole seconds, at least 1, those in the line should be through, going by recent looks."""
        return max(1, math.ceil(self._places * self._seconds))

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[None]:
        """Hold a place in the line, from before the body is read. Raises Busy."""
        if self._places >= self._limits.waiting:
            raise Busy(self.retry_after())
        self._places += 1
        try:
            yield
        finally:
            self._places -= 1

    async def look(self, model: str, composite: Composite) -> Looked:
        """Wait, in a place, for the turn of a composite and for what the model says of it, or raise what the model raises.

        Whoever is cancelled leaves the line; if it is being looked at, what is found is dropped.
        """
        question = _Question(model, composite, asyncio.get_running_loop().create_future(), time.perf_counter())
        self._waiting.append(question)
        try:
            self._begin()
            answer = await question.answer
        finally:
            if question in self._waiting:
                self._waiting.remove(question)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _begin(self) -> None:
        # a question cancelled in this very turn of the event loop has not left by itself yet
        waiting = [question for question in self._waiting if not question.answer.cancelled()]
        if self._looking or not waiting:
            return
        together = [question for question in waiting if question.model == waiting[0].model][: self._limits.batch]
        self._waiting = [question for question in waiting if question not in together]
        self._looking = True
        run = asyncio.get_running_loop().run_in_executor(self._thread, self._timed, together)
        run.add_done_callback(partial(self._hand_out, together))

    def _hand_out(self, together: list[_Question], run: "asyncio.Future[list[Looked | Exception]]") -> None:
        self._looking = False
        for question, answer in zip(together, run.result(), strict=True):
            if not question.answer.cancelled():
                question.answer.set_result(answer)
        self._begin()

    def _timed(self, together: list[_Question]) -> list[Looked | Exception]:
        # in the thread, like _found
        began = time.perf_counter()
        found = self._found(together)
        seconds = time.perf_counter() - began
        self._seconds += newest_share * (seconds / len(together) - self._seconds)
        return [
            Looked(one, 1000 * (began - question.since), 1000 * seconds, len(together))
            if isinstance(one, Harmonization)
            else one
            for question, one in zip(together, found, strict=True)
        ]

    def _found(self, together: list[_Question]) -> Sequence[Harmonization | Exception]:
        """Look at all at once; if that fails, at one after the other, so that each hears of its own error only."""
        try:
            found = self._look(together[0].model, [question.composite for question in together])
            if len(found) != len(together):
                raise RuntimeError(f"{len(together)} composites were looked at, {len(found)} answers came back")
            return found
        except Exception as error:
            if len(together) == 1:
                return [error]
            return [error if one.answer.cancelled() else self._found([one])[0] for one in together]
