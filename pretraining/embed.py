"""Start the embeddings of a small encoder from those of a larger one: their principal components."""

from typing import Any

import torch
from torch import Tensor
from transformers import BertModel


@torch.no_grad()
def start_embeddings(teacher: BertModel, student: BertModel, teacher_tokenizer: Any, tokenizer: Any) -> None:
    """Fill the token and position embeddings of `student` with the principal components of those of `teacher`.

    Further dimensions of a wider student keep their random values. A token that the teacher does not have starts as
    the mean of its pieces.
    """
    tokens = look_up(teacher.embeddings.word_embeddings.weight, teacher_tokenizer, tokenizer)
    tokens -= tokens.mean(0)
    positions = teacher.embeddings.position_embeddings.weight[: student.config.max_position_embeddings]
    components = torch.linalg.svd(tokens, full_matrices=False)[2][: student.config.hidden_size].T
    width = components.shape[1]
    student.embeddings.word_embeddings.weight[:, :width] = tokens @ components
    student.embeddings.position_embeddings.weight[:, :width] = (positions - positions.mean(0)) @ components


def look_up(weight: Tensor, teacher_tokenizer: Any, tokenizer: Any) -> Tensor:
    """Return an embedding for each token of `tokenizer` from the teacher's `weight`. *Shape:* `(tokens, width)`."""
    vocabulary = teacher_tokenizer.get_vocab()
    roles = ("pad_token", "unk_token", "cls_token", "sep_token")
    same = {getattr(tokenizer, role): getattr(teacher_tokenizer, role) for role in roles}
    same[tokenizer.mask_token] = teacher_tokenizer.unk_token  # the teacher was not trained with a mask
    embeddings = torch.empty(len(tokenizer), weight.shape[1])
    for token, token_id in tokenizer.get_vocab().items():
        piece_id = vocabulary.get(same.get(token, token))
        pieces = teacher_tokenizer(token, add_special_tokens=False)["input_ids"] if piece_id is None else [piece_id]
        embeddings[token_id] = weight[pieces].mean(0)
    return embeddings
