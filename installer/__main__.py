"""Start the installer, or hand over to a newer Python where this one is too old. Understood by Python 3.8.

`python3 harmonize-install.pyz ...`, `python -m installer ...`
"""

from __future__ import annotations

import os
import subprocess
import sys

needed = (3, 11)


def main() -> int:
    """Run the command line; returns its exit status."""
    if sys.version_info >= needed:
        from installer.commands import main as command

        return command(sys.argv[1:])
    return _hand_over()


def _hand_over() -> int:
    """Go on with a Python that is new enough, the machine's own or one that uv brings, or say what to do."""
    from installer import pythons
    from installer.failure import InstallError
    from installer.machine import Machine

    try:
        python = pythons.fit(Machine.this())
    except InstallError as error:
        print("%s %s" % (error.message, error.hint), file=sys.stderr)  # noqa: UP031
        return 2
    archive = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    words = [archive] if os.path.isfile(archive) else ["-m", "installer"]
    return subprocess.call([str(python.path), *words, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
