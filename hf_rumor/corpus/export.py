"""Write a corpus as the four text files of hand-written predecessors."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from datasets import Dataset

from hf_rumor.corpus.arrow import split_dataset
from hf_rumor.corpus.near_duplicates import Indices
from hf_rumor.util.files import write_text


UNKNOWN = "<unk>"


def export_lists(posts: Dataset, split_seed: int, folder: Path) -> list[Path]:
    """Write `all_data.txt`, `dict.txt`, `train_list.txt` and `eval_list.txt` into `folder`; return their paths.

    - `all_data.txt`: a post a line, `label<TAB>text`.
    - `dict.txt`: JSON, character -> number, on one line; the last is `<unk>`.
    - the lists: the `every_8th` split, a post a line, `number,number,...<TAB>label`; training and validation posts
      together are the training list, test posts the evaluation list.
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
