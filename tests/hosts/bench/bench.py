"""What a test's script imports inside the editor: `from bench import arguments, result`."""

import json
import pathlib

_folder = pathlib.Path(__file__).parent
arguments = json.loads((_folder / "arguments.json").read_text())


def result(text: object) -> None:
    """Hand the answer to the test; a script that never calls this has failed."""
    (_folder / "result").write_text(str(text))
