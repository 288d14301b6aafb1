"""The server's life: it is born where no other lives, is found by its state, and goes leaving nothing behind."""

import logging
import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import psutil

import harmonize_engine
from harmonize_engine.errors import HarmonizeError
from model_server import listening, logs, memory, neighbour
from model_server import state as states
from model_server.followers import Followed
from model_server.limits import Limits
from model_server.listening import Address
from model_server.lock import Lock
from model_server.state import State

if TYPE_CHECKING:
    from model_server.connections import Server

log = logging.getLogger("harmonize.server")
tick = 1.0  # seconds between two looks at who is followed, at the idle time and at the state


@dataclass(frozen=True)
class Options:
    """What a server is started with. models: None = all; follow: processes with the last of which it goes.

    idle_minutes: after so long without a request it goes, 0 = never; announce: a program starts it, not a person.
    """

    host: str = "127.0.0.1"
    port: int = 0
    device: str = "auto"
    idle_minutes: float = 30
    models: tuple[str, ...] | None = None
    folders: tuple[Path, ...] = ()
    allow_remote: bool = False
    follow: tuple[int, ...] = ()
    announce: bool = False


Ready = Callable[[State, bool], None]  # told where the server is, and whether it ran before


class Life:
    """What the rest of the server knows of its life and may wish of it; any thread may ask."""

    def __init__(self, idle_minutes: float, followed: Followed, written: logs.Log) -> None:
        self._idle_seconds = 60 * idle_minutes
        self._followed = followed
        self._written = written
        self._used = time.monotonic()
        self._wishes: queue.SimpleQueue[str] = queue.SimpleQueue()  # unlike an Event it may be used in a signal handler
        self._signals = 0
        self.stopping = False

    def stop(self, reason: str = "a client has asked for it") -> None:
        """Finish what runs and go."""
        self._wishes.put(reason)

    def follow(self, pid: int) -> None:
        """Go with this process, or with the last of several. Raises HarmonizeError `process_unknown`."""
        self._followed.add(pid)

    def touch(self) -> None:
        """Begin the idle time anew; for requests that are use."""
        self._used = time.monotonic()

    @property
    def idle_exit_s(self) -> float | None:
        """Seconds until it goes if it is not used, None if it does not for that."""
        if not self._idle_seconds:
            return None
        return max(0.0, self._used + self._idle_seconds - time.monotonic())

    @property
    def follows(self) -> list[int]:
        """The processes followed that live."""
        return self._followed.pids

    @property
    def log_problem(self) -> str | None:
        """Why the log cannot be written, None if it can."""
        return self._written.problem

    def heed_signals(self) -> None:
        """Have the first signal to end this process drain it, and the second end it at once."""
        for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):  # the last is Windows' way to close a console
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(128 + number)
        self.stop(f"it was sent {signal.Signals(number).name}")

    def last(self, state: State, server: "Server", thread: threading.Thread) -> str:
        """Wait for a reason to go, and tell it. Raises HarmonizeError `internal` if the server's thread has ended."""
        served = 0
        while thread.is_alive():
            try:
                return self._wishes.get(timeout=tick if not self.idle_exit_s else min(tick, self.idle_exit_s))
            except queue.Empty:
                pass
            if served != server.server_state.total_requests and not server.server_state.tasks:
                served = server.server_state.total_requests
                memory.give_back()
            if self._followed.all_gone:
                return "the programs it was started for are gone"
            if self.idle_exit_s == 0 and not server.server_state.tasks:
                return "nobody has used it for a while"
            if not _is_known(state):
                return "nobody can find it any more: its state is gone"
        raise HarmonizeError("internal", "The server has ended by itself.", f"See the log file {state.log}")


def run(options: Options, ready: Ready) -> None:
    """Serve until there is a reason to go, or call `ready` with the server that runs already and return at once.

    Raises HarmonizeError: `remote_refused`, `host_unknown`, `port_used`, `runs_elsewhere`, `process_unknown`, and whatever
    the runtime folder, the lock, a server that runs already, or the default model's weights raise.
    """
    address = listening.address(options.host, options.port, options.allow_remote)
    followed = Followed(binding=options.announce or bool(options.follow))
    for pid in options.follow:
        followed.add(pid)
    lock = Lock()
    there = neighbour.settle(lock, lambda told: not neighbour.older(str(told.get("version"))))
    if there is not None:
        _attach(there, address, options, ready)
        return
    try:
        _live(address, options, followed, ready)
    except HarmonizeError as error:
        log.error("%s", error)
        raise
    except Exception:
        log.exception("The server has failed.")
        raise
    finally:
        lock.release()


def _attach(there: State, address: Address, options: Options, ready: Ready) -> None:
    elsewhere = options.host != Options.host and address.host != there.host
    if elsewhere or options.port not in (0, there.port):
        hint = "Stop it first, with: harmonize serve --stop"
        raise HarmonizeError("runs_elsewhere", f"A Harmonize server runs already, at {there.url}.", hint)
    for pid in options.follow:
        neighbour.follow(there, pid)
    ready(there, True)


def _live(address: Address, options: Options, followed: Followed, ready: Ready) -> None:
    """Serve, from the first thing that is only ours to the last; the lock is held around it."""
    token = listening.token()
    written = logs.start(logs.path(), token)
    states.clear()
    life = Life(options.idle_minutes, followed, written)
    life.heed_signals()
    limits = Limits()
    with listening.bound(address) as listener:
        state = State(
            host=states.loopback_of.get(address.host, address.host),
            port=listener.getsockname()[1],
            token=token,
            pid=os.getpid(),
            version=harmonize_engine.__version__,
            started=psutil.Process().create_time(),
            log=written.baseFilename,
        )
        server = _server(state, options, life, limits, listening.names(address))
        thread = threading.Thread(target=_serve, args=(server, listener), name="server", daemon=True)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            states.write(state)
            log.info("Harmonize %s serves at %s as process %d.", state.version, state.url, state.pid)
            ready(state, False)
            log.info("It stops: %s.", life.last(state, server, thread))
        finally:
            _drain(life, state, server, thread, limits)
    log.info("It has stopped.")


def _server(state: State, options: Options, life: Life, limits: Limits, hosts: tuple[str, ...]) -> "Server":
    """Put the app together and load its default model. Raises HarmonizeError if that cannot be loaded."""
    memory.share_arenas()  # before the first of its threads starts
    from model_server import app, connections  # here, so that a start that attaches does not wait for them
    from model_server.line import Line
    from model_server.shelf import Shelf

    shelf = Shelf(options.models, options.device, options.folders, limits.model_memory)
    shelf.warm()
    service = app.Service(
        limits=limits,
        token=state.token,
        hosts=hosts,
        shelf=shelf,
        line=Line(shelf.harmonize_all, limits),
        log_path=state.log,
        started=state.started,
        life=life,
    )
    return connections.configured(app.create(service), limits)


def _serve(server: "Server", listener: socket.socket) -> None:
    try:
        server.run(sockets=[listener])
    except BaseException:
        log.exception("The server has failed.")


def _drain(life: Life, state: State, server: "Server", thread: threading.Thread, limits: Limits) -> None:
    """Take no more requests, finish those that run, but not for ever: at the end of its time the process ends."""
    life.stopping = True
    threading.Thread(target=_leave_after, args=(limits.drain_seconds + 1,), name="end", daemon=True).start()
    try:
        if _is_known(state):  # else it may be the state of another, in a folder that was deleted and made anew
            states.clear()  # first, so that nobody comes to a server that goes
    except HarmonizeError as error:
        log.warning("%s", error)
    server.should_exit = True
    thread.join()


def _leave_after(seconds: float) -> None:
    time.sleep(seconds)
    log.warning("What still ran after %.0f seconds was given up.", seconds)
    os._exit(0)


def _is_known(state: State) -> bool:
    try:
        return states.read() == state
    except HarmonizeError:
        return False
