import importlib
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast


FOLDER = Path(__file__).parents[2] / "pretraining"
NAMES = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}


@pytest.fixture(scope="module")
def embed():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield importlib.import_module("embed")


def make_model(width, tokens):
    torch.manual_seed(width)
    config = BertConfig(
        num_hidden_layers=1, hidden_size=width, num_attention_heads=2, vocab_size=tokens, max_position_embeddings=16
    )
    return BertModel(config, add_pooling_layer=False)


def make_tokenizer(pieces):
    backend = Tokenizer(models.Unigram([(piece, -float(len(pieces))) for piece in [*NAMES.values(), *pieces]], 1))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=backend, **NAMES)


@pytest.fixture
def theirs():
    return make_tokenizer(["天气", "停", "水"])


@pytest.fixture
def mine():
    return make_tokenizer(["水", "天气", "停水"])


def test_a_token_is_that_of_the_teacher_or_the_mean_of_the_pieces_it_falls_into(embed, theirs, mine):
    weight = torch.rand(len(theirs), 8)
    found = embed.look_up(weight, theirs, mine)
    assert torch.equal(found[mine.vocab["天气"]], weight[theirs.vocab["天气"]])
    torch.testing.assert_close(found[mine.vocab["停水"]], weight[[theirs.vocab["停"], theirs.vocab["水"]]].mean(0))
    assert torch.equal(found[mine.cls_token_id], weight[theirs.cls_token_id])
    assert torch.equal(found[mine.mask_token_id], weight[theirs.unk_token_id])  # the teacher has never seen a mask


def test_a_student_that_is_wider_keeps_its_own_numbers_in_the_rest(embed, theirs, mine):
    teacher, student = make_model(8, len(theirs)), make_model(12, len(mine))
    before = student.embeddings.word_embeddings.weight.detach().clone()
    embed.start_embeddings(teacher, student, theirs, mine)
    after = student.embeddings.word_embeddings.weight.detach()
    old = embed.look_up(teacher.embeddings.word_embeddings.weight, theirs, mine)
    torch.testing.assert_close(torch.cdist(after[:, :8], after[:, :8]), torch.cdist(old, old), atol=1e-5, rtol=1e-4)
    assert torch.equal(after[:, 8:], before[:, 8:])


@pytest.mark.parametrize("width", [8, 4])
def test_embeddings_keep_their_distances_as_far_as_the_width_goes(embed, theirs, mine, width):
    teacher, student = make_model(8, len(theirs)), make_model(width, len(mine))
    with torch.no_grad():
        teacher.embeddings.word_embeddings.weight[:, 4:] = 0.5  # tokens differ in four directions alone
    embed.start_embeddings(teacher, student, theirs, mine)
    for name, old in (
        ("word_embeddings", embed.look_up(teacher.embeddings.word_embeddings.weight, theirs, mine)),
        ("position_embeddings", teacher.embeddings.position_embeddings.weight),
    ):
        new = getattr(student.embeddings, name).weight.detach()
        before, after = torch.cdist(old, old), torch.cdist(new, new)
        if name == "word_embeddings" or width == 8:
            torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-4)
        assert (after <= before + 1e-5).all()
