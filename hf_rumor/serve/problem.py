"""A request that is refused, with a reason for people and a code for the page."""

from typing import Any


class Problem(Exception):
    """The answer to a request that is refused.

    Args:
        status: HTTP status.
        code: Key of the words of the page for it, after `error_`.
        message: What was expected, for users of the API.
        values: Values of the words, and what else the page needs.
    """

    def __init__(self, status: int, code: str, message: str, **values: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.values = status, code, values

    def to_json(self) -> dict[str, Any]:
        """Return the body of the answer."""
        return {"error": str(self), "code": self.code, **self.values}
