"""Parquet files. Class names that `datasets` stored for a label column replace its numbers."""

import json
from collections.abc import Iterator
from typing import Any

from hf_rumor.corpus.formats.input import Input, Row
from hf_rumor.errors import CorpusError


def read_parquet(source: Input) -> Iterator[Row]:
    """Yield the rows, a thousand at a time.

    Raises:
        CorpusError: The file is damaged, or a stream.
    """
    import pyarrow.parquet  # here, since the command line imports this module at every start

    try:
        with pyarrow.parquet.ParquetFile(source.need_path()) as table:
            names = _class_names(table.schema_arrow.metadata or {})
            number = 0
            for batch in table.iter_batches(batch_size=1000):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(number, f"row {number}", with_class_names(values, names))
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise CorpusError(f"{source.name}: not a valid Parquet file ({error}). Write it again.") from error


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Return the class names of each `ClassLabel` column of a file written by `datasets`."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {name: feature["names"] for name, feature in features.items() if feature.get("_type") == "ClassLabel"}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def with_class_names(values: dict[str, Any], names: dict[str, list[str]]) -> dict[str, Any]:
    """Return a row with class names instead of class numbers."""
    return values | {
        column: classes[values[column]]
        for column, classes in names.items()
        if isinstance(values.get(column), int) and 0 <= values[column] < len(classes)
    }
