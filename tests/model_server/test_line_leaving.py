"""How one leaves the line: cancelled, or with an error of one's own."""

import asyncio
import gc
import time
import weakref
from collections.abc import Sequence

import numpy as np
import pytest

from harmonize_engine import Composite, Harmonization, HarmonizeError
from model_server.limits import Limits
from model_server.line import Line
from tests.model_server.askers import Model, ask, asking, outcomes, play


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def held(model: Model) -> Model:
    model.held = True
    return model


def test_who_is_cancelled_while_waiting_is_never_looked_at(held: Model) -> None:
    async def story() -> None:
        tasks = await asking(Line(held, Limits()), 1, 2, 3)
        tasks[1].cancel()
        held.may_go.release(2)
        assert await outcomes(tasks) == [1, "CancelledError", 3]
        assert held.looks == [("one", [1]), ("one", [3])]

    play(story())


def test_what_a_cancelled_question_held_is_let_go_though_a_look_goes_on(held: Model) -> None:
    async def story() -> None:
        line = Line(held, Limits())
        tasks = await asking(line, 1)
        composite = Composite(np.zeros((1, 1, 3), np.float32), np.zeros((1, 1), np.float32))
        kept = weakref.ref(composite)
        waiting = asyncio.create_task(line.look("one", composite))
        del composite
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        del waiting
        gc.collect()
        assert kept() is None
        held.may_go.release()
        assert await outcomes(tasks) == [1]

    play(story())


def test_who_is_cancelled_while_looked_at_gets_out_at_once_and_does_no_harm(held: Model) -> None:
    async def story() -> None:
        line = Line(held, Limits())
        tasks = await asking(line, 1, 2, 3)
        held.may_go.release()
        assert await tasks[0] == 1
        tasks[1].cancel()
        assert await outcomes(tasks[1:2]) == ["CancelledError"]
        assert line.length == 1
        held.may_go.release()
        assert await tasks[2] == 3
        assert held.looks == [("one", [1]), ("one", [2, 3])]

    play(story())


def test_who_is_cancelled_just_when_its_turn_comes_is_never_looked_at(held: Model) -> None:
    async def story() -> None:
        line = Line(held, Limits())
        tasks = await asking(line, 1, 2)
        held.may_go.release(2)
        time.sleep(0.05)  # the first look ends, while the event loop is kept from hearing of it
        await asyncio.sleep(0)
        tasks[1].cancel()
        assert await outcomes(tasks) == [1, "CancelledError"]
        held.may_go.release()
        assert await ask(line, 3) == 3
        assert held.looks == [("one", [1]), ("one", [3])]

    play(story())


def test_an_error_is_told_to_the_one_it_belongs_to(held: Model) -> None:
    async def story() -> None:
        held.bad = {3, 5}
        tasks = await asking(Line(held, Limits()), 1, 2, 3, 4, 5)
        held.may_go.release(6)
        assert await outcomes(tasks) == [1, 2, "HarmonizeError", 4, "HarmonizeError"]
        with pytest.raises(HarmonizeError, match=r"^5 is bad"):
            await tasks[4]
        assert held.looks == [("one", [1]), ("one", [2, 3, 4, 5]), *(("one", [alone]) for alone in (2, 3, 4, 5))]

    play(story())


def test_who_was_cancelled_is_not_looked_at_again_when_a_mate_fails(held: Model) -> None:
    async def story() -> None:
        held.bad = {3}
        tasks = await asking(Line(held, Limits()), 1, 2, 3)
        held.may_go.release()
        assert await tasks[0] == 1
        tasks[1].cancel()
        held.may_go.release(2)
        assert await outcomes(tasks[1:]) == ["CancelledError", "HarmonizeError"]
        assert held.looks[2:] == [("one", [3])]

    play(story())


def test_a_model_that_answers_too_little_is_an_error_and_not_a_mix_up() -> None:
    def forgetful(name: str, composites: Sequence[Composite]) -> list[Harmonization]:
        return []

    async def story() -> None:
        with pytest.raises(RuntimeError, match="1 composites were looked at, 0 answers came back"):
            await ask(Line(forgetful, Limits()), 1)

    play(story())


def test_a_place_is_given_back_whatever_happens_to_its_holder(held: Model) -> None:
    async def story() -> None:
        line = Line(held, Limits(waiting=1))
        held.bad = {1}
        held.may_go.release()
        assert await outcomes(await asking(line, 1)) == ["HarmonizeError"]
        tasks = await asking(line, 2)
        tasks[0].cancel()
        assert await outcomes(tasks) == ["CancelledError"]
        with pytest.raises(ZeroDivisionError):
            async with line.place():
                raise ZeroDivisionError  # a body that cannot be read
        assert line.length == 0
        held.may_go.release(2)
        assert await ask(line, 3) == 3

    play(story())
