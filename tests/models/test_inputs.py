import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

import hf_rumor
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.values import parse_text
from hf_rumor.errors import ArgumentError
from hf_rumor.models.encoders import MINI_FOLDER
from hf_rumor.models.inputs import (
    InputConfig,
    TokenizerFacts,
    as_posts,
    check_vocabulary,
    encode,
    make_batches,
    model_text,
    pad,
    share_unknown,
    to_columns,
    tokenizer_facts,
)


LONG = InputConfig(64)


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_file(str(MINI_FOLDER / "tokenizer.json"))


def test_a_text_becomes_a_post():
    post = Post(text="下雪", post_id="7")
    assert as_posts(["停水", post]) == [Post(text="停水"), post]


@pytest.mark.parametrize("text", [" \n听说停水\u3000", "\ud800停水 ", "\0", ""])
def test_posts_are_normalized_as_in_corpora(text):
    [post] = as_posts([text])
    assert model_text(post) == (parse_text(text) or "")
    assert model_text(Post(text=model_text(post))) == model_text(post)


def test_tokens_are_those_of_the_plain_tokenizer(tokenizer):
    texts = ["听说停水", "听说" * 40, ""]
    expected = AutoTokenizer.from_pretrained(MINI_FOLDER)(texts, truncation=True, max_length=64)
    encodings = encode(as_posts(texts), tokenizer, LONG)
    names = ("input_ids", "token_type_ids", "attention_mask")
    assert to_columns(encodings, names) == {name: expected[name] for name in names}


def test_the_state_of_the_tokenizer_does_not_matter(tokenizer):
    posts = as_posts(["听说停水" * 9, "停水"])
    expected = [encoding.ids for encoding in encode(posts, tokenizer, InputConfig(8))]
    tokenizer.enable_padding(length=20)
    tokenizer.enable_truncation(5, direction="left")
    assert [encoding.ids for encoding in encode(posts, tokenizer, InputConfig(8))] == expected
    assert [len(ids) for ids in expected] == [8, 5]


@pytest.mark.parametrize(("side", "columns"), [("right", slice(5)), ("left", slice(3, None))])
def test_padding_uses_token_and_side_of_the_tokenizer(tokenizer, side, columns):
    encodings = encode(as_posts(["停水", "停停水水"]), tokenizer, LONG)
    facts = TokenizerFacts(padding_id=7, padding_side=side, names=("input_ids", "attention_mask"))
    arrays = pad(encodings, facts, 64)
    assert arrays.keys() == {"input_ids", "attention_mask"}
    assert arrays["input_ids"][0, columns].tolist() == encodings[0].ids
    assert np.delete(arrays["input_ids"][0], range(8)[columns]).tolist() == [7] * 3
    assert arrays["attention_mask"].sum(axis=1).tolist() == [len(encoding.ids) for encoding in encodings]


@pytest.mark.parametrize(("max_width", "width"), [(64, 16), (13, 13), (9, 9)])
def test_widths_are_multiples_of_eight_up_to_the_maximum(tokenizer, max_width, width):
    encodings = encode(as_posts(["停水停水停水" * 3]), tokenizer, InputConfig(9))
    assert pad(encodings, TokenizerFacts(), max_width)["input_ids"].shape == (1, width)


def test_batches_contain_every_post_once_from_the_longest_to_the_shortest(tokenizer, texts):
    order, batches = make_batches(as_posts(texts), tokenizer, TokenizerFacts(), LONG, 7)
    assert sorted(order) == list(range(len(texts)))
    ids = [row[mask == 1].tolist() for batch in batches for row, mask in zip(*batch.values(), strict=True)]
    assert ids == [encode(as_posts([texts[n]]), tokenizer, LONG)[0].ids for n in order]
    assert [len(row) for row in ids] == sorted((len(row) for row in ids), reverse=True)
    assert make_batches([], tokenizer, TokenizerFacts(), LONG, 7) == ([], [])


def test_the_facts_are_those_of_the_tokenizer():
    facts = tokenizer_facts(AutoTokenizer.from_pretrained(MINI_FOLDER, padding_side="left"))
    assert facts == TokenizerFacts(0, "left", 1, ("input_ids", "token_type_ids", "attention_mask"))


@pytest.mark.parametrize(("num_unknown", "num_tokens", "warns"), [(3, 10, False), (4, 10, True), (5, 100, False)])
def test_many_unknown_tokens_cause_a_warning(caplog, num_unknown, num_tokens, warns):
    check_vocabulary("predict", num_unknown, num_tokens)
    assert ("predict: 40% of the tokens are unknown" in caplog.text) == warns


def test_no_other_module_passes_posts_to_a_tokenizer():
    package = Path(hf_rumor.__file__).parent
    calls = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if re.search(r"(^|\.|_)tokenizer(\.encode\w*)?$|\.encode_batch$", name) and "check" not in name:
                calls.add(str(path.relative_to(package)))
    assert calls == {"models/inputs.py", "reposts/tokens.py"}  # of posts, of reposts


def test_it_needs_neither_torch_nor_transformers():
    code = "import hf_rumor.models.inputs, sys; print({'torch', 'transformers', 'datasets'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_share_of_unknown_tokens_is_that_of_all_tokens(tokenizer):
    unknown = tokenizer.token_to_id("[UNK]")
    posts = as_posts(["停水", "\u0f40"])  # no Tibetan in the vocabulary
    ids = [number for encoding in encode(posts, tokenizer, LONG) for number in encoding.ids]
    assert share_unknown(posts, tokenizer, LONG, unknown) == ids.count(unknown) / len(ids) > 0
    assert share_unknown(posts, tokenizer, LONG, None) == 0


@pytest.mark.parametrize("gap", [None, float("nan"), 1])
def test_what_is_not_a_text_is_refused(gap):
    with pytest.raises(ArgumentError, match=f"posts: {gap} is not a text"):
        as_posts(["停水", gap])
