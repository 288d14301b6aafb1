"""The server as an artist meets it: a process of its own, from a cold start to many clients at once.

`python -m benchmarks server --soak` asks it 10,000 questions instead of for a minute.
"""

import base64
import contextlib
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import psutil

from benchmarks.load import Met, Question, difference, numbers, together, told_apart
from harmonize_engine import Composite, harmonize
from model_server import engine_client
from model_server.engine_client import Engine, Proxy

root = Path(__file__).parents[1]
script = f"import sys; sys.path.insert(0, {str(root)!r}); from harmonize_engine.cli.main import main; sys.exit(main())"
command = [sys.executable, "-I", "-c", script, "serve", "--device", "cpu"]
clients, processes = 64, 2  # of the load; they share the processors with the server
warm_up, lasts = 10.0, 60.0  # seconds
soak = 10_000  # questions
sizes = ((512, 512), (512, 384), (384, 512), (512, 288), (340, 512))  # height, width
megabyte = 1 << 20


def measure(scratch: Path) -> list[tuple[str, str, str]]:
    os.environ |= {"HARMONIZE_RUNTIME_DIR": str(scratch / "run"), "HARMONIZE_LOG_DIR": str(scratch / "log")}
    rows = [starts(), *round_trip(), recovery()]
    return [*rows, *load(scratch)]


def starts() -> tuple[str, str, str]:
    took = [one_start() for _ in range(5)]
    return "server, from its start to the first answer", f"{statistics.median(took):.2f} s", "1.5 s"


def one_start() -> float:
    start = time.perf_counter()
    with engine() as server:
        server.harmonize(proxy(0))
        return time.perf_counter() - start


def round_trip() -> list[tuple[str, str, str]]:
    """A proxy's round trip and the same in process, timed in turn so that the machine's mood cancels out."""
    asked = proxy(0)
    seen = composite(asked)
    with engine() as server:
        idle = memory(server)
        trips, calls = zip(*(in_turn(server, asked, seen) for _ in range(51)), strict=True)
        trip, call = (1000 * statistics.median(one[1:]) for one in (trips, calls))
        measured = f"{trip:.1f} ms, {trip / call:.2f} times in process ({call:.1f} ms)"
        return [
            (
                "server, 512 px proxy to parameters and back, warm",
                measured,
                f"1.3 times + 10 ms = {1.3 * call + 10:.1f} ms",
            ),
            ("server, RSS after its start, and after 51 proxies", f"{idle:.0f} MB, {memory(server):.0f} MB", "250 MB"),
        ]


def in_turn(server: Engine, asked: Proxy, seen: Composite) -> tuple[float, float]:
    start = time.perf_counter()
    server.harmonize(asked)
    middle = time.perf_counter()
    harmonize(seen)
    return middle - start, time.perf_counter() - middle


def recovery() -> tuple[str, str, str]:
    took: list[float] = []
    with engine() as server:
        for _ in range(5):
            killed = psutil.Process(server.health()["pid"])
            killed.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
            start = time.perf_counter()
            server.harmonize(proxy(0))
            took.append(time.perf_counter() - start)
    return "server, from kill -9 to the next answer", f"{statistics.median(took):.2f} s", "3 s"


def load(scratch: Path) -> list[tuple[str, str, str]]:
    """Many clients at once, every answer compared with what the engine says of the same composite in process."""
    questions = told_apart(map(question, itertools.count()), clients)
    apart = min(difference(one.expected, other.expected) for i, one in enumerate(questions) for other in questions[:i])
    with engine() as server, growth(server.health()["pid"]) as rss:
        start = time.monotonic()
        seconds, most = (3600.0, soak // clients + 1) if "--soak" in sys.argv else (warm_up + lasts, 1 << 30)
        met = play(scratch, questions, seconds, most)
        took = time.monotonic() - start
        health = server.health()["status"]
    answered = len(met.milliseconds)
    half, late = statistics.quantiles(met.milliseconds, n=100)[49::49]
    first, last, most_rss = rss()
    name = f"{clients} clients, {took:.0f} s"
    return [
        (f"{name}: answers", f"{answered}, {answered / took:.0f} a second", "-"),
        (f"{name}: time of an answer, p50 and p99", f"{half:.0f} ms, {late:.0f} ms", "-"),
        (f"{name}: told to come again (429)", f"{met.refused}", "-"),
        (f"{name}: wrong or mixed up (two expected ones differ by {apart:.3f} or more)", f"{met.wrong}", "0"),
        (f"{name}: failed", json.dumps(met.failed) if met.failed else f"0, then {health}", "0"),
        (
            f"{name}: RSS after {warm_up:.0f} s, at the end, at most",
            f"{first:.0f}, {last:.0f}, {most_rss:.0f} MB",
            "250 MB",
        ),
        (f"{name}: growth of RSS", f"{100 * (last / first - 1):+.1f} %", "5 %"),
    ]


def play(scratch: Path, questions: list[Question], seconds: float, most: int) -> Met:
    """Have the clients ask from a few processes."""
    expected: list[tuple[str, list[float]]] = []
    for number, one in enumerate(questions):
        body = scratch / f"question-{number}.json"
        body.write_bytes(one.body)
        expected.append((str(body), one.expected))
    state = json.loads((scratch / "run" / "server.json").read_text())
    shared = {"port": state["port"], "token": state["token"], "seconds": seconds, "most": most, "expected": expected}
    players: list[subprocess.Popen[str]] = []
    for number in range(processes):
        task = scratch / f"load-{number}.json"
        task.write_text(json.dumps(shared | {"clients": list(range(number, clients, processes))}))
        players.append(subprocess.Popen([sys.executable, root / "benchmarks" / "load.py", task], stdout=-1, text=True))
    heard = [json.loads(player.communicate()[0]) for player in players]
    return together([Met(**one) for one in heard])


@contextlib.contextmanager
def engine() -> Generator[Engine]:
    """Start a server, or rather have the plug-ins' client start it, and end it afterwards."""
    server = engine_client.connect("server", command)
    try:
        yield server
    finally:
        running = psutil.Process(server.health()["pid"])
        running.terminate()
        running.wait(30)


@contextlib.contextmanager
def growth(pid: int) -> Generator[Callable[[], tuple[float, float, float]]]:
    """Watch the memory of a process: RSS in MB after warming up, at the end and at most; medians of five seconds."""
    samples: list[tuple[float, float]] = []
    over = threading.Event()
    watched, start = psutil.Process(pid), time.monotonic()

    def watch() -> None:
        while not over.wait(0.25):
            samples.append((time.monotonic() - start, watched.memory_info().rss / megabyte))

    def told() -> tuple[float, float, float]:
        end = samples[-1][0]
        early = [rss for moment, rss in samples if warm_up <= moment < warm_up + 5]
        late = [rss for moment, rss in samples if moment >= end - 5]
        return statistics.median(early), statistics.median(late), max(rss for _, rss in samples)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()


def memory(server: Engine) -> float:
    return psutil.Process(server.health()["pid"]).memory_info().rss / megabyte


def proxy(seed: int) -> Proxy:
    """A gradient of some colour with something of another colour pasted into it."""
    random = np.random.default_rng(seed)
    height, width = sizes[seed % len(sizes)]
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    mask = np.clip((random.uniform(0.3, 0.6) - np.hypot(across - random.uniform(-0.3, 0.3), down)) * 20 + 0.5, 0, 1)
    tint, cast = random.uniform(0.2, 0.8, 3), random.uniform(0.5, 1.5, 3)
    behind = tint * (1 + 0.3 * across[..., None]) + 0.05 * random.standard_normal((height, width, 3))
    image = np.clip(behind * (1 + mask[..., None] * (cast - 1)), 0, 1)
    return Proxy(
        width, height, np.rint(255 * image).astype(np.uint8).tobytes(), np.rint(255 * mask).astype(np.uint8).tobytes()
    )


def composite(proxy: Proxy) -> Composite:
    image = np.frombuffer(proxy.composite, np.uint8).reshape(proxy.height, proxy.width, 3)
    mask = np.frombuffer(proxy.mask, np.uint8).reshape(proxy.height, proxy.width)
    return Composite(image.astype(np.float32) / 255, mask.astype(np.float32) / 255)


def question(number: int) -> Question:
    """A prepared request, and what the engine answers to it in process."""
    asked = proxy(number)
    planes = {name: base64.b64encode(getattr(asked, name)).decode() for name in ("composite", "mask")}
    body = json.dumps({"width": asked.width, "height": asked.height} | planes).encode()
    return Question(body, numbers(json.loads(harmonize(composite(asked)).to_json())))
