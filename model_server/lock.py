"""The lock that a server holds for its life; the system frees it however the server ends."""

from pathlib import Path

import filelock

from harmonize_engine.errors import HarmonizeError
from model_server import state


class Lock:
    """There is one in a runtime folder, and one process at a time that has it."""

    def __init__(self) -> None:
        self.path: Path = state.folder() / state.lockname
        self._lock = filelock.FileLock(self.path, mode=0o600, thread_local=False)

    def take(self) -> bool:
        """Take the lock unless another process has it; tell whether we have it. Raises HarmonizeError `lock_failed`."""
        if self._lock.is_locked:
            return True
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            raise HarmonizeError(
                "lock_failed",
                f"The file {self.path} could not be locked: {error}.",
                "Name a folder on a local disk in HARMONIZE_RUNTIME_DIR.",
            ) from error
        return True

    def release(self) -> None:
        """Let the next one have it."""
        self._lock.release()
