"""The line in front of the one thread that looks: who comes when, and who is told to come again."""

import asyncio
import contextlib
import random
from collections.abc import Sequence

import numpy as np
import pytest

from harmonize_engine import Composite, Harmonization, HarmonizeError
from model_server.limits import Limits
from model_server.line import Busy, Line
from tests.model_server.askers import Model, ask, asking, outcomes, patience, play


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def held(model: Model) -> Model:
    model.held = True
    return model


class Clock:
    """Stands for the line's own, and goes only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("model_server.line.time", clock)
    return clock


def test_answers_with_what_the_model_found(model: Model) -> None:
    async def story() -> None:
        assert await ask(Line(model, Limits()), 5, "two") == 5
        assert model.looks == [("two", [5])]

    play(story())


def test_tells_how_long_it_waited_how_long_the_look_took_and_with_how_many(held: Model, clock: Clock) -> None:
    async def story() -> None:
        line = Line(held, Limits())
        seen = Composite(np.zeros((1, 1, 3), np.float32), np.zeros((1, 1), np.float32))
        tasks = [asyncio.create_task(line.look("one", seen)) for _ in range(3)]
        await asyncio.sleep(0)
        clock.now += 0.25
        held.may_go.release(2)
        first, second, third = await asyncio.gather(*tasks)
        assert (first.waited_ms, first.looked_ms, first.batch) == (0, 250, 1)
        assert (second.waited_ms, second.looked_ms, second.batch) == (250, 0, 2)
        assert third == second

    play(story())


def test_what_waits_for_the_same_model_goes_together_and_nothing_waits_for_company(held: Model) -> None:
    async def story() -> None:
        tasks = await asking(Line(held, Limits(batch=3)), 1, 2, 3, 4, 5)
        held.may_go.release(3)
        assert await outcomes(tasks) == [1, 2, 3, 4, 5]
        assert held.looks == [("one", [1]), ("one", [2, 3, 4]), ("one", [5])]

    play(story())


def test_the_oldest_question_decides_which_model_is_next(held: Model) -> None:
    async def story() -> None:
        line = Line(held, Limits())
        tasks: list[asyncio.Task[int]] = []
        for number, name in enumerate(("one", "two", "one", "three", "two")):
            tasks += await asking(line, number, name=name)
        held.may_go.release(4)
        assert await outcomes(tasks) == [0, 1, 2, 3, 4]
        assert held.looks == [("one", [0]), ("two", [1, 4]), ("one", [2]), ("three", [3])]

    play(story())


def test_a_stream_for_one_model_does_not_starve_another(held: Model) -> None:
    async def story() -> None:
        line = Line(held, Limits(batch=2))
        tasks = await asking(line, 1, 2, 3)
        tasks += await asking(line, 4, name="rare")
        for late in range(5, 20):  # each time a look begins, somebody new stands in the line
            await asyncio.to_thread(held.began.acquire)
            tasks += await asking(line, late)
            held.may_go.release()
        held.may_go.release(20)
        await outcomes(tasks)
        assert held.looks[:3] == [("one", [1]), ("one", [2, 3]), ("rare", [4])]

    play(story())


def test_beyond_the_bound_one_is_told_when_to_come_again(held: Model) -> None:
    async def story() -> None:
        line = Line(held, Limits(waiting=3))
        tasks = await asking(line, 1, 2, 3)
        assert line.length == 3
        with pytest.raises(Busy) as refused:
            await ask(line, 4)
        assert refused.value.code == "busy" and refused.value.retry_after == 1
        held.may_go.release(3)
        assert await outcomes(tasks) == [1, 2, 3]
        assert line.length == 0 and await ask(line, 4) == 4

    play(story())


def test_retry_after_is_how_long_those_in_the_line_will_take(model: Model, clock: Clock) -> None:
    def slow(name: str, composites: Sequence[Composite]) -> list[Harmonization]:
        clock.now += 0.3 * len(composites)
        return model(name, composites)

    async def story() -> None:
        line = Line(slow, Limits(waiting=20))
        assert line.retry_after() == 1
        for number in range(40):
            await ask(line, number)
        assert line.retry_after() == 1
        async with contextlib.AsyncExitStack() as places:
            for _ in range(20):
                await places.enter_async_context(line.place())
            assert line.retry_after() == 6

    play(story())


@pytest.mark.parametrize("seed", range(500))
def test_every_answer_belongs_to_its_question(seed: int, model: Model) -> None:
    """Askers come, give up and fail at random; the bound holds at every moment, and nothing is left behind."""
    chance = random.Random(seed)
    limits = Limits(waiting=chance.randint(1, 8), batch=chance.randint(1, 4))
    model.bad = set(chance.sample(range(12), chance.randint(0, 3)))
    model.seconds = chance.choice((0, 0.0002))
    pauses = [chance.choice((0, 0, 0.0002, 0.0005)) for _ in range(12)]
    patiences = [chance.choice((patience, patience, 0, 0.0003)) for _ in range(12)]

    async def asker(line: Line, number: int) -> None:
        try:
            async with asyncio.timeout(patiences[number]):
                assert await ask(line, number, chance.choice(("one", "two"))) == number
                assert number not in model.bad
        except TimeoutError:
            assert patiences[number] != patience
        except Busy:
            assert line.length == limits.waiting
        except HarmonizeError as error:
            assert number in model.bad and error.message == f"{number} is bad."

    async def story() -> None:
        line = Line(model, limits)
        askers: list[asyncio.Task[None]] = []
        for number, pause in enumerate(pauses):
            askers.append(asyncio.create_task(asker(line, number)))
            await asyncio.sleep(pause)
            assert line.length <= limits.waiting
        await asyncio.gather(*askers)
        assert line.length == 0

    play(story())
    assert all(len(numbers) <= limits.batch for _, numbers in model.looks)
