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


def test_an_embedding_is_that_of_the_teacher_or_the_mean_of_its_pieces(embed, theirs, mine):
    weight = torch.rand(len(theirs), 8)
    embeddings = embed.look_up(weight, theirs, mine)
    assert torch.equal(embeddings[mine.vocab["天气"]], weight[theirs.vocab["天气"]])
    pieces = [theirs.vocab["停"], theirs.vocab["水"]]
    torch.testing.assert_close(embeddings[mine.vocab["停水"]], weight[pieces].mean(0))
    assert torch.equal(embeddings[mine.cls_token_id], weight[theirs.cls_token_id])
    assert torch.equal(embeddings[mine.mask_token_id], weight[theirs.unk_token_id])


def test_a_wider_student_keeps_its_random_values_in_the_further_dimensions(embed, theirs, mine):
    teacher, student = make_model(8, len(theirs)), make_model(12, len(mine))
    before = student.embeddings.word_embeddings.weight.detach().clone()
    embed.start_embeddings(teacher, student, theirs, mine)
    after = student.embeddings.word_embeddings.weight.detach()
    old = embed.look_up(teacher.embeddings.word_embeddings.weight, theirs, mine)
    torch.testing.assert_close(torch.cdist(after[:, :8], after[:, :8]), torch.cdist(old, old), atol=1e-5, rtol=1e-4)
    assert torch.equal(after[:, 8:], before[:, 8:])


@pytest.mark.parametrize("width", [8, 4])
def test_principal_components_keep_the_distances_of_embeddings(embed, theirs, mine, width):
    teacher, student = make_model(8, len(theirs)), make_model(width, len(mine))
    with torch.no_grad():
        teacher.embeddings.word_embeddings.weight[:, 4:] = 0.5  # tokens differ in four dimensions only
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
