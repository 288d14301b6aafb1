"""`harmonize`: finds the verb, and turns every failure into one line and an exit status."""

import argparse
import io
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from harmonize_engine import __version__
from harmonize_engine.cli import apply, benchmark, doctor, fit, models, render, serve, study, train
from harmonize_engine.cli.installation import install, repair, uninstall
from harmonize_engine.errors import HarmonizeError

verbs = {
    "apply": apply,
    "fit": fit,
    "render": render,
    "serve": serve,
    "models": models,
    "benchmark": benchmark,
    "study": study,
    "train": train,
    "doctor": doctor,
    "install": install,
    "repair": repair,
    "uninstall": uninstall,
}


class Parser(argparse.ArgumentParser):
    """Complains about its arguments as everything else here does: by raising HarmonizeError `usage`."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise HarmonizeError("usage", f"{message[:1].upper()}{message[1:].rstrip('.')}.", f"See: {self.prog} --help")


def parser() -> Parser:
    """Describe all verbs and their arguments."""
    main_parser = Parser(prog="harmonize", description="Makes a pasted foreground belong to its picture.")
    main_parser.add_argument("--version", action="version", version=f"harmonize {__version__}")
    _add_json_errors(main_parser)
    subparsers = main_parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    for name, verb in verbs.items():
        subparser = subparsers.add_parser(name, help=verb.summary, description=verb.summary)
        verb.describe(subparser)
        _add_json_errors(subparser)
    return main_parser


def _add_json_errors(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--json-errors",
        action="store_true",
        default=argparse.SUPPRESS,
        help="write errors as JSON: code, message, hint",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    0 = done; 2 = an error that the user can mend, told in one line; 1 = a defect, told in one line that names a log file;
    130 = stopped with Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    with _own_stderr():
        for stream in (sys.stdout, sys.stderr):  # a file name may hold what the terminal cannot show
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return _run(words)


def _run(words: list[str]) -> int:
    try:
        arguments = parser().parse_args(words)
        arguments.words = words[words.index(arguments.verb) :]  # for who hands over
        verbs[arguments.verb].run(arguments)
        sys.stdout.flush()
        return 0
    except HarmonizeError as error:
        return _complain(error, words, 2)
    except MemoryError:
        lacking = HarmonizeError("out_of_memory", "The memory does not suffice for this picture.", "Use a smaller one.")
        return _complain(lacking, words, 2)
    except KeyboardInterrupt:
        return _complain(HarmonizeError("stopped", "Stopped; no file was left half-written."), words, 130)
    except BrokenPipeError:  # the reader of our output, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:
        return _complain(_defect(), words, 1)


@contextmanager
def _own_stderr() -> Generator[None]:
    """Keep standard error to ourselves: libtiff and other libraries write remarks on odd files straight to descriptor 2."""
    if sys.stderr is not sys.__stderr__ or sys.stderr is None or sys.stderr.fileno() != 2:
        yield  # a program or a test has put something else in its place
        return
    before = sys.stderr
    before.flush()
    with open(os.dup(2), "w", buffering=1, encoding=before.encoding) as own, open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        sys.stderr = own
        try:
            yield
        finally:
            sys.stderr = before
            own.flush()
            os.dup2(own.fileno(), 2)


def _complain(error: HarmonizeError, words: list[str], status: int) -> int:
    if "--json-errors" in words:
        line = json.dumps({"code": error.code, "message": error.message, "hint": error.hint})
    else:
        line = " ".join(f"harmonize: error [{error.code}]: {error.message} {error.hint}".split())
    print(line, file=sys.stderr)
    if words[:1] == ["serve"] and "--announce" in words:
        serve.announce_failure(error)
    return status


def _defect() -> HarmonizeError:
    """Keep the traceback of the exception being handled in a file, and name that."""
    message = "Something went wrong inside Harmonize."
    try:
        with tempfile.NamedTemporaryFile("w", prefix="harmonize-", suffix=".log", delete=False, encoding="utf-8") as log:
            log.write(f"harmonize {__version__}, Python {sys.version}\n{traceback.format_exc()}")
    except OSError:
        return HarmonizeError("internal", message, "Please report it.")
    return HarmonizeError("internal", message, f"Please report it with the log file {log.name}")


if __name__ == "__main__":
    sys.exit(main())
