"""How long a call takes, and how two calls compare on a noisy machine."""

import statistics
import time
from collections.abc import Callable


def seconds(call: Callable[[], object], runs: int = 9) -> float:
    """Median of several runs after one that warms up."""
    call()
    return statistics.median(_once(call) for _ in range(runs))


def ratio(call: Callable[[], object], other: Callable[[], object], runs: int = 9) -> float:
    """Median of call / other, both timed in turn so that the machine's mood cancels out."""
    call()
    other()
    return statistics.median(_once(call) / _once(other) for _ in range(runs))


def _once(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
