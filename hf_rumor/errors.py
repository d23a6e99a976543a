"""The mistakes a user can make, as exceptions whose message is one line that says what to do.

RumorError
├── ArgumentError    a flag or a recipe that is not valid
├── CorpusError      a corpus that cannot be read or split
│   └── DownloadError    a corpus that cannot be fetched
├── ModelError       a model that cannot be found or loaded
├── OutputError      a folder that cannot be written, or holds something else
├── HubError         a Hub that refuses or is unreachable
└── RunError         a training that diverged, or one of several runs that did not finish
"""


class RumorError(Exception):
    """Base of every error that ends a command with exit status 2 and one line."""

    def __str__(self) -> str:
        """Return the message on one line, whatever was quoted in it."""
        return " ".join(super().__str__().split())


class ArgumentError(RumorError):
    """A flag or a recipe that is not valid."""


class CorpusError(RumorError):
    """A corpus that cannot be read or split."""


class DownloadError(CorpusError):
    """A corpus that cannot be fetched."""


class ModelError(RumorError):
    """A model that cannot be found or loaded."""


class OutputError(RumorError):
    """A folder that cannot be written, or that holds something else."""


class RunError(RumorError):
    """A training that diverged, or one of several runs that did not finish."""


class HubError(RumorError):
    """A Hub that refuses or is unreachable; `is_temporary` if a retry may succeed."""

    def __init__(self, message: str, *, is_temporary: bool = False) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary
