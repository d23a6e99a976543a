"""Requests that need the model wait for each other."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool

from hf_rumor.serve.problem import Problem


P = ParamSpec("P")
R = TypeVar("R")


class Turns:
    """Runs one function at a time, each in a thread; waiting requests block no threads."""

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting, self._num_waiting = max_waiting, 0
        self._lock = asyncio.Lock()

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the function returns.

        Raises:
            Problem: Too many requests are waiting (status 503).
        """
        if self._num_waiting >= self._max_waiting:
            raise Problem(503, "busy", "too many requests at once; try again later")
        self._num_waiting += 1
        try:
            async with self._lock:
                return await run_in_threadpool(function, *args, **kwargs)
        finally:
            self._num_waiting -= 1
