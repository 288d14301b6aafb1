"""The programs the server was started for: when the last of them is gone, it has nothing left to do."""

from contextlib import suppress

import psutil

from harmonize_engine.errors import HarmonizeError


class Followed:
    """Processes whose end is watched; a process that gets the number of a dead one is not taken for it.

    binding: False for a server that a person has started by hand, which programs that come and go do not end.
    """

    def __init__(self, binding: bool) -> None:
        self._binding = binding
        self._processes: dict[int, psutil.Process] = {}
        self._had_any = False

    def add(self, pid: int) -> None:
        """Watch one more. Raises HarmonizeError `process_unknown`."""
        try:
            process = psutil.Process(pid)
            if pid == psutil.Process().pid or not alive(process):
                raise psutil.NoSuchProcess(pid)
        except (psutil.Error, ValueError, OverflowError) as error:
            raise HarmonizeError(
                "process_unknown", f"There is no process {pid} to follow.", "Give the number of a running program."
            ) from error
        # threads of the app add, the main thread asks: both only ever put a whole new dictionary in place
        self._processes = self._living() | {pid: process}
        self._had_any = True

    @property
    def pids(self) -> list[int]:
        """Who lives."""
        return sorted(self._living())

    @property
    def all_gone(self) -> bool:
        """Whether somebody was followed and nobody is left, which ends a server that was started for them."""
        return self._binding and self._had_any and not self._living()

    def _living(self) -> dict[int, psutil.Process]:
        return {pid: process for pid, process in self._processes.items() if alive(process)}


def alive(process: psutil.Process) -> bool:
    """Tell whether a process lives: a zombie, whose parent has not asked for its status yet, does not."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
