"""Start the embeddings of a small encoder from those of a larger one: their principal components."""

from typing import Any

import torch
from torch import Tensor
from transformers import BertModel


@torch.no_grad()
def start_embeddings(teacher: BertModel, student: BertModel, teacher_tokenizer: Any, tokenizer: Any) -> None:
    """Fill the embeddings of tokens and positions of `student` with those of `teacher`, as far as it is wide enough.

    They are turned so that the directions in which tokens differ most come first; the others are left out. A student
    that is wider keeps its random numbers in the rest. A token that is no piece of the teacher starts as the mean of
    its pieces.
    """
    words = look_up(teacher.embeddings.word_embeddings.weight, teacher_tokenizer, tokenizer)
    positions = teacher.embeddings.position_embeddings.weight[: student.config.max_position_embeddings]
    directions = torch.linalg.svd(words - words.mean(0), full_matrices=False)[2][: student.config.hidden_size].T
    width = directions.shape[1]
    student.embeddings.word_embeddings.weight[:, :width] = (words - words.mean(0)) @ directions
    student.embeddings.position_embeddings.weight[:, :width] = (positions - positions.mean(0)) @ directions


def look_up(weight: Tensor, teacher_tokenizer: Any, tokenizer: Any) -> Tensor:
    """Return what the teacher's embeddings `weight` say of each token of `tokenizer`. *Shape:* `(tokens, width)`."""
    known = teacher_tokenizer.get_vocab()
    roles = ("pad_token", "unk_token", "cls_token", "sep_token")
    same = {getattr(tokenizer, role): getattr(teacher_tokenizer, role) for role in roles}
    same[tokenizer.mask_token] = teacher_tokenizer.unk_token  # the teacher has never seen a mask
    found = torch.empty(len(tokenizer), weight.shape[1])
    for token, number in tokenizer.get_vocab().items():
        name = same.get(token, token)
        parts = [known[name]] if name in known else teacher_tokenizer(token, add_special_tokens=False)["input_ids"]
        found[number] = weight[parts].mean(0)
    return found
