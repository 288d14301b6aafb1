"""Many clients at once on real sockets: everybody gets the answer to the own question, or is told when to come again."""

import json
import time
from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.load import Question, numbers, play, told_apart
from harmonize_engine import Composite, Harmonization, engine
from model_server.limits import Limits
from model_server.shelf import Shelf
from tests.model_server import proxies
from tests.model_server.conftest import Serve

clients, times, places = 16, 20, 10
sizes = ((96, 64), (64, 96), (80, 80))


class Slow(Shelf):
    """Takes a moment longer for each look, so that the line fills up; remembers what went together."""

    def __init__(self) -> None:
        super().__init__(None, "cpu", (), Limits().model_memory)
        self.batches: list[tuple[str, int]] = []

    def harmonize_all(self, model: str, composites: Sequence[Composite]) -> list[Harmonization]:
        self.batches.append((model, len(composites)))
        time.sleep(0.005)
        return super().harmonize_all(model, composites)


def asked(seed: int) -> Question:
    """A question, every third to another model, and what the engine answers to it in process."""
    image, mask = proxies.scene(seed, *sizes[seed % len(sizes)])
    model = "statistics" if seed % 3 == 0 else "parametric"
    body = json.dumps(proxies.question(image, mask, model=model)).encode()
    composite = Composite(image.astype(np.float32) / 255, mask.astype(np.float32) / 255)
    return Question(body, numbers(json.loads(engine.harmonize(composite, model).to_json())))


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    return told_apart(map(asked, range(10 * clients)), clients)


def test_nobody_is_lost_refused_for_ever_or_given_the_answer_of_another(serve: Serve, questions: list[Question]) -> None:
    shelf = Slow()
    server = serve(shelf=shelf, waiting=places)
    met = play(server.port, server.token, questions, list(range(clients)), seconds=60, most=times)
    assert len(met.milliseconds) == clients * times
    assert not met.failed and not met.wrong
    assert met.refused
    assert max(together for _, together in shelf.batches) > 1
    assert {model for model, _ in shelf.batches} == {"parametric", "statistics"}
    assert server.service.line.length == 0


def test_questions_with_the_same_answer_are_not_asked() -> None:
    alike = [Question(b"", [value]) for value in (0.0, 0.001, 0.5, 0.5, 1.0)]
    assert [one.expected for one in told_apart(alike, 3)] == [[0.0], [0.5], [1.0]]
    with pytest.raises(ValueError, match="only 3 of 4"):
        told_apart(alike, 4)


def test_a_wrong_answer_would_be_noticed(serve: Serve, questions: list[Question]) -> None:
    server = serve()
    mixed_up = [Question(questions[number].body, questions[number - 3].expected) for number in range(6)]
    met = play(server.port, server.token, mixed_up, [0, 3], seconds=60, most=2)
    assert met.wrong == 4
