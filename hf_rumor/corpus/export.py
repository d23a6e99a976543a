"""Export a corpus as the four text files that hand-written predecessors read."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from datasets import Dataset

from hf_rumor.corpus.near_duplicates import Indices
from hf_rumor.corpus.parts import split_dataset
from hf_rumor.util.files import write_text


UNKNOWN = "<unk>"


def export_lists(posts: Dataset, split_seed: int, folder: Path) -> list[Path]:
    """Write four files into `folder`, and return their paths.

    - `all_data.txt`: one post per line, `label<TAB>text`.
    - `dict.txt`: JSON, character -> number, on one line; the last one is `<unk>`.
    - `train_list.txt`, `eval_list.txt`: the `every_8th` split, one post per line, `number,number,...<TAB>label`;
      `train_list.txt` includes the validation posts.
    """
    split = split_dataset(posts, "every_8th", split_seed, np.arange(len(posts)))
    texts = [" ".join(text.split()) for text in posts["text"][:]]
    labels = posts["label"][:]
    numbers = {character: number for number, character in enumerate(sorted(set("".join(texts))))}
    numbers[UNKNOWN] = len(numbers)
    contents = {
        "all_data.txt": "".join(f"{label}\t{text}\n" for label, text in zip(labels, texts, strict=True)),
        "dict.txt": json.dumps(numbers, ensure_ascii=False) + "\n",
        "train_list.txt": _list(texts, labels, numbers, split.development()),
        "eval_list.txt": _list(texts, labels, numbers, split.test),
    }
    for name, content in contents.items():
        write_text(folder / name, content)
    return [folder / name for name in contents]


def _list(texts: Sequence[str], labels: Sequence[int], numbers: dict[str, int], positions: Indices) -> str:
    return "".join(
        f"{','.join(str(numbers[character]) for character in texts[position])}\t{labels[position]}\n"
        for position in positions
    )
