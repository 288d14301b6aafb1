"""`python -m model_server ...` is `harmonize serve ...`, for where the command is not on the path."""

import sys

from harmonize_engine.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
