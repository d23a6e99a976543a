"""Adaptor until `hf_rumor.corpus` offers these two functions with this signature."""

import hashlib
import json
from pathlib import Path
from typing import Any

from hf_rumor.corpus.arrow import Corpus, SplitCorpus, split_dataset, to_dataset_dict
from hf_rumor.corpus.arrow import load_corpus as load_file
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.readers import Columns
from hf_rumor.corpus.sources import name_of, resolve_corpus
from hf_rumor.util.files import cache_folder, write_text


def load_corpus(source: Any, *, labels: Any = None, columns: Columns | None = None) -> Corpus:
    """Return the corpus at a path, `hub:...` or `auto`, in a `datasets.Dataset`, or of texts and labels."""
    if isinstance(source, str | Path):
        return load_file(resolve_corpus(str(source)), columns)
    if labels is not None:
        source = [{"text": text, "label": label} for text, label in zip(source, labels, strict=True)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in source)
    path = cache_folder() / "memory" / f"{hashlib.sha256(lines.encode()).hexdigest()}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, lines)
    return load_file(path, columns)


def split_corpus(
    corpus: Corpus, name: str = "grouped", *, seed: int = 0, folds: int = 5, fold: int = 0
) -> SplitCorpus:
    """Return the corpus in three parts."""
    near_duplicates = find_near_duplicates(corpus.posts["text"][:])
    split = split_dataset(corpus.posts, name, seed, near_duplicates.groups, folds, fold)
    num_leaking = len(near_duplicates.leaking(split.test, split.development()))
    return SplitCorpus(corpus, near_duplicates.groups, split, num_leaking, to_dataset_dict(corpus.posts, split))


def source_of(corpus: Corpus) -> str | None:
    """Return what `--data_path` finds this corpus by again; None if it was in memory."""
    return None if corpus.path.parent == cache_folder() / "memory" else name_of(corpus.path)
