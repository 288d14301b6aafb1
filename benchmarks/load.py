"""Clients of a load in one cheap process: prepared questions, each answer compared with the one expected for it.

`python load.py LOAD.json` plays what the file says and prints what the clients met.
"""

import array
import base64
import contextlib
import http.client
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

tolerance = 1e-3  # of curves and gains: less than a quarter of an 8-bit level, far less than two composites differ
patience = 60  # seconds for an answer


@dataclass(frozen=True)
class Question:
    """The body of a request and the numbers of the answer it should get."""

    body: bytes
    expected: list[float]


@dataclass
class Met:
    """What clients met. milliseconds: of each answer, refusals not counted; failed: by HTTP status or kind of error."""

    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0
    wrong: int = 0
    failed: Counter[str] = field(default_factory=Counter)


def numbers(document: dict[str, Any]) -> list[float]:
    """Every value of the curves and gains of a `harmonize/1` document."""
    values: list[float] = []
    for adjustment in document["adjustments"]:
        if adjustment["kind"] == "curves":
            values += [y for channel in adjustment["y"] for y in channel]
        else:
            gains = array.array("H", base64.b64decode(adjustment["gain"]))
            values += [gain / 16384 for gain in gains]
    return values


def difference(these: list[float], those: list[float]) -> float:
    """The largest difference of two answers; of answers of different kinds, infinite."""
    if len(these) != len(those):
        return float("inf")
    return max(abs(one - other) for one, other in zip(these, those, strict=True))


def told_apart(asked: Iterable[Question], count: int) -> list[Question]:
    """Choose questions whose answers cannot be taken for each other: what is left as it is, for instance, comes once."""
    chosen: list[Question] = []
    for another in asked:
        if all(difference(another.expected, one.expected) > 10 * tolerance for one in chosen):
            chosen.append(another)
        if len(chosen) == count:
            return chosen
    raise ValueError(f"only {len(chosen)} of {count} questions can be told apart by their answers")


class Client:
    """One that asks one question after the other on one connection, and comes again when it is told to."""

    def __init__(self, port: int, token: str, questions: list[Question], met: Met) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.questions = questions
        self.met = met

    def play(self, first: int, until: float, most: int) -> None:
        """Ask from question number `first` on, until a moment of the monotonic clock or until so many were answered."""
        turn = first
        try:
            while turn - first < most and time.monotonic() < until:
                turn += self.ask(self.questions[turn % len(self.questions)])
        finally:
            self.connection.close()

    def ask(self, question: Question) -> bool:
        """Ask once; False if the question is to be asked again."""
        start = time.perf_counter()
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # an early refusal is there to be read
                self.connection.request("POST", "/v1/harmonize", question.body, self.headers)
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.met.failed[type(error).__name__] += 1
            self.connection.close()
            return True
        if response.status == 429:
            self.met.refused += 1
            time.sleep(int(response.headers["Retry-After"]))
            return False
        if response.status != 200:
            self.met.failed[str(response.status)] += 1
            return True
        self.met.milliseconds.append(1000 * (time.perf_counter() - start))
        found = numbers(json.loads(content)["harmonization"])
        self.met.wrong += difference(found, question.expected) > tolerance
        return True


def play(port: int, token: str, questions: list[Question], clients: list[int], seconds: float, most: int) -> Met:
    """Have some clients ask at the same time, each beginning with the question of its own number."""
    met = [Met() for _ in clients]
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=Client(port, token, questions, mine).play, args=(number, until, most))
        for number, mine in zip(clients, met, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return together(met)


def together(met: list[Met]) -> Met:
    """Add up what several met."""
    whole = Met()
    for one in met:
        whole.milliseconds += one.milliseconds
        whole.refused += one.refused
        whole.wrong += one.wrong
        whole.failed += one.failed
    return whole


def main() -> None:
    """Play a load."""
    load = json.loads(Path(sys.argv[1]).read_text())
    expected = load.pop("expected")
    questions = [Question(Path(path).read_bytes(), numbers) for path, numbers in expected]
    print(json.dumps(vars(play(questions=questions, **load))))


if __name__ == "__main__":
    main()
