"""`harmonize study`: people choose blindly between results, and Bradley-Terry scores tell which method they prefer."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harmonize_engine.errors import HarmonizeError

if TYPE_CHECKING:
    from harmonize_engine.evaluation.study.bradley_terry import Score

summary = "ask people which of two results they prefer, on a page of this computer, and score the methods"


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help="one for each method, pictures matched by name; or one folder that holds those",
    )
    parser.add_argument("--votes", type=Path, required=True, metavar="FILE", help="where votes are kept, one JSON per line")
    parser.add_argument("--scores", action="store_true", help="only score the votes that are there")
    parser.add_argument("--question", default="Which one looks more like a photograph?", metavar="TEXT")
    parser.add_argument("--port", type=int, default=0, help="port to listen at (0 = a free one)")
    parser.add_argument("--json", action="store_true", help="print scores as JSON")


def run(arguments: argparse.Namespace) -> None:
    """Do it. Raises HarmonizeError."""
    from harmonize_engine.evaluation.study import ballot, bradley_terry, server, votes

    given = votes.read(arguments.votes)
    if arguments.scores:
        methods = sorted({method for vote in given for method in (vote.left, vote.right)})
        if not methods:
            raise HarmonizeError("no_votes", f"There are no votes in {arguments.votes}.", "Run a study first.")
        _tell(bradley_terry.scores(given, methods), arguments.json)
        return
    if not arguments.folders:
        raise HarmonizeError("usage", "Folders of results are needed.", "Like: harmonize study OURS THEIRS --votes FILE")
    if not 0 <= arguments.port < 65536:
        raise HarmonizeError("usage", f"A port is a number from 0 to 65535, not {arguments.port}.", "Leave it out.")
    study = server.Study(ballot.Ballot(ballot.pictures(arguments.folders), given), arguments.votes, arguments.question)
    with server.StudyServer(study, arguments.port) as serving:
        print(f"The study is at {serving.url} (votes so far: {len(given)}); Ctrl-C ends it.", flush=True)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            print()
    _tell(bradley_terry.scores(study.ballot.votes, study.ballot.methods), arguments.json)


def _tell(scores: "list[Score]", as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(score) for score in scores], indent=1))
        return
    width = max(len(score.method) for score in scores)
    print(f"{'method':{width}}  score   95 %               votes")
    for s in scores:
        print(f"{s.method:{width}}  {s.score:.4f}  {s.low:.4f} to {s.high:.4f}  {s.votes:5}")
