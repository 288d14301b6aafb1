"""`harmonize serve`: the engine for the editors, behind a port of this computer; runs until nobody needs it."""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmonize_engine.cli.account import row
from harmonize_engine.errors import HarmonizeError

if TYPE_CHECKING:
    from model_server.state import State

_remote_warning = (
    "harmonize: warning: at {} other computers can reach the server. Whoever has its token can use it, and what is sent is "
    "not encrypted: allow that in a network that you trust only."
)
summary = "run the server that the editors use, or ask about it"


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    asking = parser.add_mutually_exclusive_group()
    asking.add_argument("--status", action="store_true", help="tell about the server that runs")
    asking.add_argument("--stop", action="store_true", help="have the server that runs finish its work and go")
    parser.add_argument("--json", action="store_true", help="with --status: print it as JSON")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=0, help="port to listen at (0 = a free one)")
    parser.add_argument("--allow-remote", action="store_true", help="allow a --host that other computers can reach")
    parser.add_argument("--device", default="auto", help="auto (the fastest that works), cpu, cuda, directml or coreml")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="serve these models only")
    parser.add_argument(
        "--models-folder", action="append", type=Path, default=[], metavar="FOLDER", help="where more models are"
    )
    parser.add_argument(
        "--idle-minutes",
        type=_minutes,
        default=30.0,
        metavar="N",
        help="go after so many minutes without a request (30; 0 = never)",
    )
    parser.add_argument(
        "--follow",
        action="append",
        type=int,
        default=[],
        metavar="PID",
        help="go when this process is gone; if several are followed, when all are",
    )
    parser.add_argument(
        "--announce", action="store_true", help="for programs: tell in one line of JSON when it is ready, then be silent"
    )


def run(arguments: argparse.Namespace) -> None:
    """Do it. Raises HarmonizeError."""
    from model_server import streams

    streams.fill()
    if arguments.json and not arguments.status:
        raise HarmonizeError("usage", "--json goes with --status.", "See: harmonize serve --help")
    if arguments.status:
        _tell_status(arguments.json)
    elif arguments.stop:
        _stop()
    else:
        _serve(arguments)


def announce_failure(error: HarmonizeError) -> None:
    """Tell the program that has started us, in its one line, why there is no server."""
    from model_server import logs

    told = {"code": error.code, "message": error.message, "hint": error.hint, "log": str(logs.path())}
    _print(json.dumps(told))


def _serve(arguments: argparse.Namespace) -> None:
    from model_server import life, listening, streams

    address = listening.address(arguments.host, arguments.port, arguments.allow_remote)
    if address.remote:
        print(_remote_warning.format(address.host), file=sys.stderr)
    options = life.Options(
        host=arguments.host,
        port=arguments.port,
        device=arguments.device,
        idle_minutes=arguments.idle_minutes,
        models=arguments.models and tuple(arguments.models),
        folders=tuple(folder.absolute() for folder in arguments.models_folder),
        allow_remote=arguments.allow_remote,
        follow=tuple(arguments.follow),
        announce=arguments.announce,
    )

    def ready(state: "State", attached: bool) -> None:
        if options.announce:
            _print(json.dumps({"ready": True, "attached": attached}))
            streams.silence()
        elif attached:
            _print(f"A Harmonize server runs already at {state.url}")
        else:
            _print(f"Harmonize serves at {state.url} {_until(options.idle_minutes)}; Ctrl-C ends it.")

    life.run(options, ready)


def _until(idle_minutes: float) -> str:
    return f"until nobody has used it for {idle_minutes:g} minutes" if idle_minutes else "until it is stopped"


def _stop() -> None:
    from model_server import neighbour
    from model_server.lock import Lock

    _print("The server has stopped." if neighbour.stop(Lock()) else "No Harmonize server was running.")


def _tell_status(as_json: bool) -> None:
    from model_server import neighbour, state

    there = state.read()
    told = None if there is None else neighbour.answers(there)
    if as_json:
        found = {} if there is None or told is None else {"url": there.url, "state": str(state.location())} | told
        _print(json.dumps({"running": told is not None} | found, indent=1))
    elif there is None or told is None:
        _print("No Harmonize server is running.")
    else:
        for label, value in _table(there, told):
            row(label, value)


def _table(there: "State", told: dict[str, Any]) -> Sequence[tuple[str, str]]:
    from model_server import state

    device, memory = told["device"], told["memory"]
    leaves = told["idle_exit_s"]
    return [
        ("address", there.url),
        ("version", f"{told['version']}, process {told['pid']}, for {_span(told['uptime_s'])}"),
        ("device", ": ".join(filter(None, (device["name"], device["reason"])))),
        ("models", ", ".join(told["models_loaded"]) or "none loaded"),
        ("memory", f"{memory['rss'] / 1e6:.0f} MB"),
        ("waiting", str(told["waiting"])),
        ("leaves", "when it is stopped" if leaves is None else f"in {_span(leaves)} if nobody uses it"),
        ("follows", ", ".join(map(str, told["follows"])) or "no program"),
        ("token", f"in {state.location()}"),
        ("log", told["log_problem"] or told["log"]),
    ]


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _print(line: str) -> None:
    with suppress(OSError):  # whoever started us may be gone already
        print(line, flush=True)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 65536:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text}")
    return port


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 <= minutes < math.inf:
        raise argparse.ArgumentTypeError(f"minutes are a number from 0 up, not {text}")
    return minutes
