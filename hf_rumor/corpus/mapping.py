"""Columns computed from posts, cached in Arrow beside them."""

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pyarrow
from datasets import Dataset
from filelock import FileLock


logger = logging.getLogger(__name__)


def map_cached(
    posts: Dataset, function: Callable[..., dict[str, Any]], remove: Sequence[str], what: str, **arguments: Any
) -> Dataset:
    """Return `posts` with the columns that a function of batches returns; corrupt ones are computed again.

    They are found by the code of the function and its arguments, and computed by one process at a time.

    Args:
        posts: The posts.
        function: From the columns of a batch, and the arguments, to new columns.
        remove: Columns that the result lacks.
        what: What is computed, for messages.
        **arguments: Of the function. One should be a version, to increase when code that it calls changes.
    """
    files = [Path(file["filename"]) for file in posts.cache_files]

    def compute(*, from_cache: bool) -> Dataset:
        computed = posts.map(
            function,
            batched=True,
            batch_size=500,  # posts of the published corpus have up to a thousand reposts
            fn_kwargs=arguments,
            remove_columns=list(remove),
            load_from_cache_file=from_cache,
            desc=f"computing {what}",
        )
        if len(computed) != len(posts):
            raise OSError(f"expected {len(posts):,} posts, found {len(computed):,}")
        return computed

    with FileLock(files[0].parent / "tokens.lock") if files else nullcontext():
        for leftover in files[0].parent.glob("tmp*") if files else ():  # of a process that was killed
            leftover.unlink(missing_ok=True)
        try:
            return compute(from_cache=True)
        except (pyarrow.ArrowException, OSError) as error:
            logger.warning("cache: %s are corrupt (%s); they are rebuilt", what, error)
            return compute(from_cache=False)
