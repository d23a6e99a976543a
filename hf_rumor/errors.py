"""User errors. The message of each is one line: what is wrong, and what to do."""


class RumorError(Exception):
    """Base of every error that ends a command with exit status 2 and one line."""

    def __str__(self) -> str:
        """Return the message on one line, even if it quotes several."""
        return " ".join(super().__str__().split())


class ArgumentError(RumorError):
    """A flag or a recipe that is not valid."""


class CorpusError(RumorError):
    """A corpus that cannot be downloaded, read or split."""


class ModelError(RumorError):
    """A model that cannot be found or loaded."""


class OutputError(RumorError):
    """An output path that cannot be written, or that contains other files."""


class RunError(RumorError):
    """A training run that diverged, or one of several runs that did not finish."""


class HubError(RumorError):
    """A Hub that refuses or is unreachable; `is_temporary` if a retry may succeed."""

    def __init__(self, message: str, *, is_temporary: bool = False) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary
