"""Everything a user can run into: one sentence, what to do, and a code that stays the same."""


class HarmonizeError(Exception):
    """An error that is the caller's to mend. `code` is stable, `message` says what is wrong, `hint` what to do."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.code = code
        self.message = message
        self.hint = hint
